import { keccakOf, keccakText } from '../../deterministic-runtime/commitment/keccak.ts';
import { LOOP_COUNTERS, SCALAR_REGISTERS, VECTOR_REGISTERS } from '../../deterministic-runtime/word-code/instruction.ts';

/** Words of an encoded state. */
export const STATE_WORDS = 11;
const WORD = 32;
const POSITION = 2 * WORD;
const SCALARS = 3 * WORD;
const VECTORS = 7 * WORD;
/** Bytes of the position word that no field uses: bits [216, 256). */
const POSITION_UNUSED = 5;

const MACHINE_TAG = keccakText('assay.machine.v1');

/** Whether a machine runs, and how it ended. */
export const Status = { RUNNING: 0, FINISHED: 1, FAILED: 2 } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** The word machine's whole state (docs/word-machine.md, "State"). States are values: nothing in one is ever changed. */
export interface MachineState {
  /** What binds the machine's version, the model, the input and the seed: see `machineContext`. */
  readonly context: Uint8Array;
  /** `A`: root of the tree over the slots' commitments. */
  readonly slotsRoot: Uint8Array;
  /** Slot, word, `pc` and counters as unsigned numbers of 32, 32, 16 and 32 bits. */
  readonly slot: number;
  readonly word: number;
  readonly pc: number;
  readonly counters: readonly number[];
  readonly status: Status;
  /** Sixteen registers of 64 bits, signed. */
  readonly scalars: readonly bigint[];
  /** Four registers of one word. */
  readonly vectors: readonly Uint8Array[];
}

/** Where a running machine stands between words. */
export interface WordPosition {
  readonly slot: number;
  readonly word: number;
}

/** Thrown for bytes that are not the encoding of a state. */
export class MalformedStateError extends Error {
  constructor(reason: string) {
    super(`not a machine state: ${reason}`);
    this.name = 'MalformedStateError';
  }
}

/** `keccak256(MACHINE ‖ modelId ‖ inputCommitment ‖ seed)`, each 32 bytes: no proof fits another inference. */
export function machineContext(modelId: Uint8Array, inputCommitment: Uint8Array, seed: Uint8Array): Uint8Array {
  return keccakOf(MACHINE_TAG, modelId, inputCommitment, seed);
}

const ZERO_WORD: Uint8Array = new Uint8Array(WORD);
const ZERO_COUNTERS: readonly number[] = Array.from({ length: LOOP_COUNTERS }, () => 0);
const ZERO_SCALARS: readonly bigint[] = Array.from({ length: SCALAR_REGISTERS }, () => 0n);
const ZERO_VECTORS: readonly Uint8Array[] = Array.from({ length: VECTOR_REGISTERS }, () => ZERO_WORD);

/** The running state at the start of a word: registers, counters and `pc` are zero. */
export function wordStartState(context: Uint8Array, slotsRoot: Uint8Array, { slot, word }: WordPosition): MachineState {
  return {
    context, slotsRoot, slot, word, pc: 0, status: Status.RUNNING,
    counters: ZERO_COUNTERS, scalars: ZERO_SCALARS, vectors: ZERO_VECTORS,
  };
}

/** The state before the first step: nothing is written. */
export const initialState = (context: Uint8Array): MachineState => wordStartState(context, ZERO_WORD, { slot: 0, word: 0 });

/** The state after the last slot's last word. */
export const finishedState = (context: Uint8Array, slotsRoot: Uint8Array): MachineState =>
  ({ ...wordStartState(context, slotsRoot, { slot: 0, word: 0 }), status: Status.FINISHED });

/** The one state of an inference that ended without a result. */
export const failedState = (context: Uint8Array): MachineState => ({ ...initialState(context), status: Status.FAILED });

/** A state's fixed-width encoding: eleven words. */
export function encodeState(state: MachineState): Uint8Array {
  const bytes = new Uint8Array(STATE_WORDS * WORD);
  const view = new DataView(bytes.buffer);
  bytes.set(state.context, 0);
  bytes.set(state.slotsRoot, WORD);
  view.setUint8(POSITION + 5, state.status);
  state.counters.forEach((counter, index) => view.setUint32(POSITION + 18 - 4 * index, counter));
  view.setUint16(POSITION + 22, state.pc);
  view.setUint32(POSITION + 24, state.word);
  view.setUint32(POSITION + 28, state.slot);
  state.scalars.forEach((scalar, index) => view.setBigInt64(SCALARS + 8 * index, scalar));
  state.vectors.forEach((vector, index) => bytes.set(vector, VECTORS + WORD * index));
  return bytes;
}

/** The inverse of `encodeState`. @throws MalformedStateError on a wrong length, set unused bits, or an unknown status. */
export function decodeState(bytes: Uint8Array): MachineState {
  if (bytes.length !== STATE_WORDS * WORD) throw new MalformedStateError(`it has ${STATE_WORDS * WORD} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let byte = 0; byte < POSITION_UNUSED; byte += 1) {
    if (view.getUint8(POSITION + byte) !== 0) throw new MalformedStateError('unused bits of the position are set');
  }
  const status = view.getUint8(POSITION + 5);
  if (status !== Status.RUNNING && status !== Status.FINISHED && status !== Status.FAILED) throw new MalformedStateError(`its status is ${status}`);
  return {
    context: bytes.slice(0, WORD),
    slotsRoot: bytes.slice(WORD, 2 * WORD),
    slot: view.getUint32(POSITION + 28),
    word: view.getUint32(POSITION + 24),
    pc: view.getUint16(POSITION + 22),
    counters: ZERO_COUNTERS.map((_, index) => view.getUint32(POSITION + 18 - 4 * index)),
    status,
    scalars: ZERO_SCALARS.map((_, index) => view.getBigInt64(SCALARS + 8 * index)),
    vectors: ZERO_VECTORS.map((_, index) => bytes.slice(VECTORS + WORD * index, VECTORS + WORD * (index + 1))),
  };
}

/** The number that the chain knows a state by: the low 248 bits of the keccak256 of its encoding, so that it is a field element of a blob too. */
export const hashState = (state: MachineState): Uint8Array => hashEncodedState(encodeState(state));

/** The same, of a state's encoding. */
export function hashEncodedState(encoding: Uint8Array): Uint8Array {
  const hash = keccakOf(encoding);
  hash[0] = 0;
  return hash;
}
