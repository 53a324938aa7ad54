import type { Hex } from 'viem';
import type { Trace } from '../../fraud-proof/trace/trace.ts';

/** Bytes that traces keep together: what other iterations read, and 64 a slot. A trace of 256 tokens of a small language model has about 10 MB. */
export const MOST_TRACE_BYTES = 2 ** 30;

/** Traces of disputed inferences, by request. Each can be made again, by running the inference once more. */
export interface Traces {
  /** The request's trace, opened if it is not there. */
  of(requestId: Hex, open: () => Promise<Trace>): Promise<Trace>;
  /** Lets go of the traces of all other requests. */
  keepOnly(requestIds: ReadonlySet<Hex>): void;
  /** Traces that are kept, or being opened. */
  readonly size: number;
}

/**
 * Keeps traces until `keepOnly` leaves them out or, together, they hold more than `mostBytes`: then those that were not asked for the longest go,
 * whoever opened how many disputes. The latest stays, however large it is.
 */
export function createTraces(mostBytes = MOST_TRACE_BYTES): Traces {
  /** The first was asked for the longest ago. */
  const kept = new Map<Hex, { readonly trace: Promise<Trace>; bytes: number }>();

  const makeRoom = (): void => {
    let bytes = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [requestId, entry] of [...kept].slice(0, -1)) {
      if (bytes <= mostBytes) return;
      // Nothing is won by dropping one that is still being opened: somebody waits for it.
      if (entry.bytes === 0) continue;
      bytes -= entry.bytes;
      kept.delete(requestId);
    }
  };

  return {
    get size() {
      return kept.size;
    },
    of: (requestId, open) => {
      const known = kept.get(requestId);
      if (known !== undefined) {
        kept.delete(requestId);
        kept.set(requestId, known);
        return known.trace;
      }
      const entry = { trace: open(), bytes: 0 };
      kept.set(requestId, entry);
      entry.trace.then((trace) => {
        entry.bytes = trace.tensors.byteLength;
        makeRoom();
      }, () => {
        if (kept.get(requestId) === entry) kept.delete(requestId);
      });
      return entry.trace;
    },
    keepOnly: (requestIds) => {
      for (const requestId of kept.keys()) if (!requestIds.has(requestId)) kept.delete(requestId);
    },
  };
}
