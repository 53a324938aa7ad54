import { bytesToHex } from 'viem';
import { findLie } from '../../fraud-proof/dispute/random-fault.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { FaultChooser } from './inference.ts';

/** A liar for tests and demonstrations: tampers with every run at a random place that changes its result, the same place for the same run. */
export function randomFaults(seed: bigint): FaultChooser {
  const chosen = new Map<string, Promise<Fault>>();
  return ({ model, prepared, input, seed: requestSeed }) => {
    const key = [model.modelId, bytesToHex(input), bytesToHex(requestSeed)].join('!');
    const known = chosen.get(key);
    if (known !== undefined) return known;
    const found = openTrace({ prepared, input, seed: requestSeed })
      .then((honest) => findLie(honest, { prepared, input, seed: requestSeed }, { seed }))
      .then(({ fault }) => fault);
    chosen.set(key, found);
    return found;
  };
}
