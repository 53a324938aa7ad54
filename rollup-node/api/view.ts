import { bytesToHex } from 'viem';
import { assertionPhase, disputePhase } from '../chain/clock.ts';
import type { LocalModel } from '../inference/models.ts';
import { decodeModelResult } from '../model-call.ts';
import type { AssertionRecord, DisputeRecord, ModelRecord, RequestRecord } from '../store/tables.ts';

/** Bigints as decimal strings, bytes as hex: what JSON can carry without loss. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJson(field)]));
  return value;
}

/** A model, and whether this node has its files. */
export const modelView = (model: ModelRecord, local: LocalModel | undefined): object => ({
  ...model,
  served: local !== undefined,
  ...(local === undefined ? {} : { name: local.encoded.model.program.name, steps: local.encoded.steps, metadata: local.encoded.model.program.metadata }),
});

/** A request; a delivered one with its result as a value. */
export function requestView(request: RequestRecord, model: ModelRecord | undefined): object {
  const { delivery } = request;
  return delivery === undefined || model === undefined ? request : { ...request, delivery: { ...delivery, value: readable(model.signature, delivery.result) } };
}

/** An assertion and its phase at a moment (seconds of block time). */
export const assertionView = (assertion: AssertionRecord, time: bigint): object => ({ ...assertion, phase: assertionPhase(assertion, time) });

/** A dispute; its phase at a moment (seconds of block time) takes account of clocks that have run out. */
export const disputeView = (dispute: DisputeRecord, time: bigint): object => ({ ...dispute, phase: disputePhase(dispute, time), recordedPhase: dispute.phase });

/** A result as a value; null where the signature's type is not known here. */
export function readable(signature: string, result: `0x${string}`): unknown {
  try {
    return decodeModelResult(signature, result);
  } catch {
    return null;
  }
}
