import type { AbstractLevel, AbstractSublevel } from 'abstract-level';
import { Level } from 'level';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';
import { recordEncoding } from './codec.ts';
import { CHAIN_TABLES, TABLES } from './tables.ts';
import type { ChainTable, TableName, Tables } from './tables.ts';

/** Version of the records' layout; a store of another one is refused. */
export const STORE_VERSION = 1;

type Format = string | Buffer | Uint8Array;
type Database = AbstractLevel<Format, string, string>;
type Sublevel = AbstractSublevel<Database, Format, string, unknown>;

/** One write: `value: undefined` deletes. */
export type Change<N extends TableName = TableName> = { [K in N]: { readonly table: K; readonly key: string; readonly value: Tables[K] | undefined } }[N];

/** A block that the store's chain tables reflect. */
export interface BlockMark {
  readonly number: bigint;
  readonly hash: `0x${string}`;
}

export interface ListOptions {
  /** Only keys that start with this. */
  readonly prefix?: string;
  /** Only keys behind this one, in the direction of the listing. */
  readonly after?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** The node's records. Every write is one atomic batch, on disk when the promise resolves. */
export interface Store {
  get<N extends TableName>(table: N, key: string): Promise<Tables[N] | undefined>;
  /** Records in the order of their keys. */
  list<N extends TableName>(table: N, options?: ListOptions): Promise<{ readonly key: string; readonly value: Tables[N] }[]>;
  write(changes: readonly Change[]): Promise<void>;
  /**
   * Writes what one more block changed, moves the cursor to it, and keeps what `rollback` needs to undo it. Marks below
   * `pruneBelow` are dropped, but for the newest of them.
   */
  applyBlock(block: BlockMark, changes: readonly Change<ChainTable>[], pruneBelow?: bigint): Promise<void>;
  /** The newest applied block. */
  cursor(): Promise<BlockMark | undefined>;
  /** Applied blocks that can be returned to, newest first. */
  marks(): Promise<BlockMark[]>;
  /** Undoes every block above `number`, which must be one of `marks`; null forgets all that came from the chain. */
  rollback(number: bigint | null): Promise<void>;
  close(): Promise<void>;
}

/** A number as a key that sorts like it. */
export const numberKey = (number: bigint | number): string => BigInt(number).toString().padStart(20, '0');

/** Opens the store in a folder, creating it. @throws UserError when the disk, another process or a damaged file stands in the way. */
export async function openStore(location: string): Promise<Store> {
  await makeDirectory(location).catch((error: unknown) => {
    throw new UserError(`cannot create the data folder ${location}: ${reasonOf(error)}`, { exitCode: ExitCode.storage, cause: error });
  });
  return openStoreOn(new Level<string, string>(location) as unknown as Database, location);
}

/** The store on any abstract-level database; `location` is for messages. */
export async function openStoreOn(database: Database, location: string): Promise<Store> {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, location);
    }
  };
  await guarded(() => database.open());
  const sublevels = Object.fromEntries(
    TABLES.map((name) => [name, database.sublevel<string, unknown>(name, { valueEncoding: recordEncoding<unknown>() })]),
  ) as unknown as Record<TableName, Sublevel>;
  const batch = (changes: readonly Change[]): Promise<void> =>
    guarded(() => database.batch(changes.map((change) => operation(sublevels[change.table], change)), { sync: true } as object));
  const get: Store['get'] = (table, key) => guarded(async () => (await sublevels[table].get(key)) as Tables[typeof table] | undefined);
  const list: Store['list'] = (table, options = {}) => guarded(async () => {
    const records: { key: string; value: Tables[typeof table] }[] = [];
    for await (const [key, value] of sublevels[table].iterator(rangeOf(options))) records.push({ key, value: value as Tables[typeof table] });
    return records;
  });
  await guarded(() => checkVersion(get, batch, location)).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });

  return {
    get,
    list,
    write: batch,
    cursor: async () => (await list('undo', { reverse: true, limit: 1 }))[0]?.value.block,
    marks: async () => (await list('undo', { reverse: true })).map(({ value }) => value.block),
    applyBlock: async (block, changes, pruneBelow) => {
      const before = await Promise.all(changes.map(async ({ table, key }) => ({ table, key, value: await get(table, key) }) as Change<ChainTable>));
      const seen = new Set<string>();
      const previous = before.filter(({ table, key }) => !seen.has(`${table}!${key}`) && seen.add(`${table}!${key}`));
      const old = pruneBelow === undefined || pruneBelow < 0n ? [] : await list('undo', { reverse: true, after: numberKey(pruneBelow) });
      // The newest of them stays: it is what everything above can be undone to.
      const stale = old.slice(1);
      await batch([
        ...changes,
        { table: 'undo', key: numberKey(block.number), value: { block, previous: previous.map((change) => ({ ...change, value: change.value ?? null })) } },
        ...stale.map(({ key }): Change => ({ table: 'undo', key, value: undefined })),
      ]);
    },
    rollback: async (number) => {
      if (number === null) return batch(await everything(list));
      for (const { key, value } of await list('undo', { reverse: true })) {
        if (value.block.number <= number) return;
        const restored = value.previous.map(({ value: old, ...place }) => ({ ...place, value: old ?? undefined }) as Change);
        await batch([...restored, { table: 'undo', key, value: undefined }]);
      }
    },
    close: () => guarded(() => database.close()),
  };
}

function operation(sublevel: Sublevel, change: Change): { type: 'put'; sublevel: Sublevel; key: string; value: never } | { type: 'del'; sublevel: Sublevel; key: string } {
  return change.value === undefined ? { type: 'del', sublevel, key: change.key } : { type: 'put', sublevel, key: change.key, value: change.value as never };
}

function rangeOf({ prefix, after, limit, reverse = false }: ListOptions): { gt?: string; gte?: string; lt?: string; limit?: number; reverse: boolean } {
  const low = prefix === undefined ? {} : { gte: prefix };
  const high = prefix === undefined ? {} : { lt: `${prefix}\uffff` };
  const start = after === undefined ? {} : reverse ? { lt: after } : { gt: after };
  const range = { ...low, ...high, ...start, ...(limit === undefined ? {} : { limit }), reverse };
  if ('gt' in range) delete (range as { gte?: string }).gte;
  return range;
}

async function everything(list: Store['list']): Promise<Change[]> {
  const tables: readonly TableName[] = [...CHAIN_TABLES, 'undo'];
  const keys = await Promise.all(tables.map(async (table) => (await list(table)).map(({ key }) => ({ table, key, value: undefined }) as Change)));
  return keys.flat();
}

async function checkVersion(get: Store['get'], write: Store['write'], location: string): Promise<void> {
  const version = await get('meta', 'version');
  if (version === undefined) return write([{ table: 'meta', key: 'version', value: STORE_VERSION }]);
  if (version !== STORE_VERSION) {
    throw new UserError(`the store in ${location} has layout ${String(version)}, this program writes layout ${STORE_VERSION}`, {
      exitCode: ExitCode.storage,
      hint: 'delete the folder: everything in it is computed again from the chain and the model files',
    });
  }
}

/** What a failing database means for a person. */
function storageError(error: unknown, location: string): unknown {
  if (error instanceof UserError) return error;
  const chain: { code?: unknown; message?: unknown; cause?: unknown }[] = [];
  for (let link = error; typeof link === 'object' && link !== null; link = (link as { cause?: unknown }).cause) chain.push(link);
  const has = (code: string): boolean => chain.some((link) => link.code === code);
  const text = chain.map((link) => String(link.message)).join(': ');
  const fail = (message: string, hint: string): UserError => new UserError(message, { exitCode: ExitCode.storage, hint, cause: error });
  if (has('LEVEL_LOCKED')) return fail(`another process uses the store in ${location}`, 'stop it, or set another data folder');
  if (/no space left|ENOSPC/i.test(text)) return fail(`the disk of ${location} is full`, 'free some space and start again; nothing is half-written');
  if (has('LEVEL_CORRUPTION') || has('LEVEL_DECODE_ERROR')) {
    return fail(`the store in ${location} is damaged`, 'delete the folder: everything in it is computed again from the chain and the model files');
  }
  if (has('LEVEL_IO_ERROR') || has('LEVEL_DATABASE_NOT_OPEN')) return fail(`cannot use the store in ${location}: ${reasonOf(chain.at(-1))}`, 'check the folder and its permissions');
  return error;
}
