import type { Trace } from '../../fraud-proof/trace/trace.ts';

/** Bytes that traces keep together: what other iterations read, and 64 a slot. A trace of 256 tokens of a small language model has about 10 MB. */
export const MOST_TRACE_BYTES = 2 ** 30;

/** Traces of disputed inferences, by what they are a function of: model, input and seed. Each can be made again, by running the inference once more. */
export interface Traces {
  /** The inference's trace, opened if it is not there: disputes about the same one share it. */
  of(key: string, open: () => Promise<Trace>): Promise<Trace>;
  /** Lets go of all other traces. */
  keepOnly(keys: ReadonlySet<string>): void;
  /** Traces that are kept, or being opened. */
  readonly size: number;
}

/**
 * Keeps traces until `keepOnly` leaves them out or, together, they hold more than `mostBytes`: then those that were not asked for the longest go,
 * whoever opened how many disputes. The latest stays, however large it is.
 */
export function createTraces(mostBytes = MOST_TRACE_BYTES): Traces {
  /** The first was asked for the longest ago. */
  const kept = new Map<string, { readonly trace: Promise<Trace>; bytes: number }>();

  const makeRoom = (): void => {
    let bytes = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [key, entry] of [...kept].slice(0, -1)) {
      if (bytes <= mostBytes) return;
      // Nothing is won by dropping one that is still being opened: somebody waits for it.
      if (entry.bytes === 0) continue;
      bytes -= entry.bytes;
      kept.delete(key);
    }
  };

  return {
    get size() {
      return kept.size;
    },
    of: (key, open) => {
      const known = kept.get(key);
      if (known !== undefined) {
        kept.delete(key);
        kept.set(key, known);
        return known.trace;
      }
      const entry = { trace: open(), bytes: 0 };
      kept.set(key, entry);
      entry.trace.then((trace) => {
        entry.bytes = trace.tensors.byteLength;
        makeRoom();
      }, () => {
        if (kept.get(key) === entry) kept.delete(key);
      });
      return entry.trace;
    },
    keepOnly: (keys) => {
      for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key);
    },
  };
}
