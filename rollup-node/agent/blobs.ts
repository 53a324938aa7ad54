import { anvil } from 'viem/chains';
import { reasonOf } from '../errors.ts';
import type { Duty } from './duty.ts';

/** Milliseconds between two checks, and after one that failed. */
const PAUSE = 3_600_000;
const PAUSE_AFTER_FAILURE = 60_000;

/**
 * Asks the beacon node from time to time whether it would give blobs: in a dispute against an opponent who puts its claims into them it is too late to find out
 * that it keeps none. Sends nothing.
 * @param now milliseconds; replaced in tests
 */
export function watchBlobs(now: () => number = Date.now): Duty {
  let next = 0;
  return async ({ client, blobSources = [], metrics, problems, log }) => {
    if (now() < next) return [];
    const tell = (problem: string | null): void => {
      metrics.blobsReadable.set(problem === null ? 1 : 0);
      if (problem === null) return problems.clear('blobs');
      if (!problems.list().includes(problem)) log.warn(problem);
      problems.set('blobs', problem);
    };
    const sources = blobSources.filter(({ check }) => check !== undefined);
    if (sources.length === 0) {
      next = Infinity;
      // A development chain gives its blobs itself.
      tell(client.chain.id === anvil.id ? null : 'no beacon node is set: a dispute against an opponent that puts its claims into blobs would be lost; set --beacon');
      return [];
    }
    return [{
      key: 'blobs:check',
      run: async () => {
        next = now() + PAUSE;
        const failures: string[] = [];
        for (const { name, check } of sources) await check?.().catch((error: unknown) => failures.push(`${name}: ${reasonOf(error)}`));
        if (failures.length > 0) next = now() + PAUSE_AFTER_FAILURE;
        tell(failures.length === 0 ? null : `claims in blobs could not be read (${failures.join('; ')}): set --beacon to a node that keeps blobs`);
      },
    }];
  };
}
