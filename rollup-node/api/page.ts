import type { ListOptions } from '../store/store.ts';

/** Records read for one answer, however few of them match. */
const MOST_READ = 1_000;

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `before` for the next page; null after the last one. */
  readonly next: string | null;
}

/** Lists newest first, leaving out what `load` gives undefined for. */
export async function newestFirst<T>(
  list: (options: ListOptions) => Promise<readonly { readonly key: string; readonly value: string }[]>,
  load: (id: string) => Promise<T | undefined>,
  { limit, before }: { readonly limit: number; readonly before?: string | undefined },
): Promise<Page<T>> {
  const items: T[] = [];
  let after = before;
  for (let read = 0; read < MOST_READ; ) {
    const entries = await list({ reverse: true, limit, ...(after === undefined ? {} : { after }) });
    for (const { key, value } of entries) {
      after = key;
      const item = await load(value);
      if (item !== undefined) items.push(item);
      if (items.length === limit) return { items, next: after };
    }
    if (entries.length < limit) return { items, next: null };
    read += entries.length;
  }
  return { items, next: after ?? null };
}
