import { BaseError, RpcRequestError } from 'viem';
import type { Address, Hex, Log } from 'viem';
import { numberKey } from '../store/store.ts';
import type { BlockMark, Change, Store } from '../store/store.ts';
import type { ChainTable } from '../store/tables.ts';
import type { ChainClient } from './client.ts';

/** A block as the follower needs it. `timestamp` in seconds. */
export interface Head extends BlockMark {
  readonly timestamp: bigint;
}

/** What reads a block's logs into changes of the store's chain tables: pure but for reads of the store. */
export type Projection = (logs: readonly Log<bigint, number, false>[], store: Pick<Store, 'get'>, block: Head) => Promise<readonly Change<ChainTable>[]>;

export interface FollowerOptions {
  readonly client: ChainClient;
  readonly store: Store;
  /** Contracts whose events count. */
  readonly addresses: readonly Address[];
  /** First block that may hold one. */
  readonly startBlock: bigint;
  readonly projection: Projection;
  /** Blocks asked for in one eth_getLogs. */
  readonly logRange: number;
  /** Blocks asked for at first, twice as many after every answer; `logRange` when absent. */
  readonly firstRange?: number;
  /** Blocks that can be undone one by one; a deeper reorganisation reads everything again. */
  readonly reorganizationDepth: number;
  readonly signal?: AbortSignal;
}

export interface SyncResult {
  /** The newest block that the store reflects. */
  readonly head: Head;
  /** Number of the block that a reorganisation led back to; null when it led back to the start. */
  readonly reorganizedTo?: bigint | null;
  readonly blocks: number;
  readonly events: number;
}

/** Thrown when the chain changed between two requests of one look: the next look sorts it out. */
export class ChainMovedError extends Error {
  constructor(number: bigint) {
    super(`block ${number} changed while it was read`);
    this.name = 'ChainMovedError';
  }
}

/**
 * Brings the store's chain tables up to the newest block: undoes what a reorganisation took back, then applies new blocks in
 * order, each together with the cursor in one batch. Killed at any point, the next call goes on from there.
 * @throws ChainMovedError, or whatever the endpoint failed with.
 */
export async function syncToHead(options: FollowerOptions): Promise<SyncResult> {
  const { client, store } = options;
  const head = await headOf(client);
  const reorganizedTo = await undoReorganization(options, head);
  let from = ((await store.cursor())?.number ?? options.startBlock - 1n) + 1n;
  let blocks = 0;
  let events = 0;
  let longest = BigInt(options.logRange);
  let range = BigInt(options.firstRange ?? options.logRange);
  while (from <= head.number) {
    options.signal?.throwIfAborted();
    const to = minimum(head.number, from + range - 1n);
    const end = to === head.number ? head : await headOf(client, to);
    const logs = await client.getLogs({ address: [...options.addresses], fromBlock: from, toBlock: to }).catch((error: unknown) => {
      // Endpoints limit an answer's size, and anybody can make events.
      if (to === from || !wasRefused(error)) throw error;
      return null;
    });
    if (logs === null) {
      range = (to - from + 1n) / 2n;
      longest = range;
      continue;
    }
    if ((await headOf(client, to)).hash !== end.hash) throw new ChainMovedError(to);
    const groups = groupByBlock(logs);
    const times = await Promise.all(groups.map(({ number }) => headOf(client, number)));
    for (const [index, group] of groups.entries()) {
      const block = times[index];
      if (block === undefined || block.hash !== group.hash) throw new ChainMovedError(group.number);
      await apply(options, block, group.logs);
      events += group.logs.length;
    }
    if (groups.at(-1)?.number !== to) await apply(options, end, []);
    blocks += Number(to - from) + 1;
    from = to + 1n;
    range = minimum(2n * range, longest);
  }
  return { head, blocks, events, ...(reorganizedTo === undefined ? {} : { reorganizedTo }) };
}

async function apply(options: FollowerOptions, block: Head, logs: readonly Log<bigint, number, false>[]): Promise<void> {
  const changes = await options.projection(logs, options.store, block);
  const floor = block.number - BigInt(options.reorganizationDepth);
  await options.store.applyBlock({ number: block.number, hash: block.hash }, changes, floor);
}

/** Returns to the newest applied block that the chain still has. Undefined when nothing had to be undone. */
async function undoReorganization({ client, store }: FollowerOptions, head: Head): Promise<bigint | null | undefined> {
  const stillThere = async (mark: BlockMark): Promise<boolean> => {
    if (mark.number > head.number) return false;
    return (mark.number === head.number ? head : await headOf(client, mark.number)).hash === mark.hash;
  };
  const newest = await store.cursor();
  if (newest === undefined || (await stillThere(newest))) return undefined;
  for (const mark of await store.marks()) {
    if (!(await stillThere(mark))) continue;
    await store.rollback(mark.number);
    return mark.number;
  }
  await store.rollback(null);
  return null;
}

/** True for what an endpoint answered with an error, as opposed to one that did not answer. */
const wasRefused = (error: unknown): boolean => error instanceof BaseError && error.walk((link) => link instanceof RpcRequestError) !== null;

async function headOf(client: ChainClient, number?: bigint): Promise<Head> {
  const block = await client.getBlock(number === undefined ? { blockTag: 'latest' } : { blockNumber: number });
  return { number: block.number, hash: block.hash, timestamp: block.timestamp };
}

interface BlockLogs { readonly number: bigint; readonly hash: Hex; readonly logs: Log<bigint, number, false>[] }

function groupByBlock(logs: readonly Log<bigint, number, false>[]): BlockLogs[] {
  const groups = new Map<string, BlockLogs>();
  for (const log of logs) {
    const key = numberKey(log.blockNumber);
    const group = groups.get(key) ?? { number: log.blockNumber, hash: log.blockHash, logs: [] };
    group.logs.push(log);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => (a.number < b.number ? -1 : 1));
  for (const { logs: inBlock } of sorted) inBlock.sort((a, b) => a.logIndex - b.logIndex);
  return sorted;
}

const minimum = (a: bigint, b: bigint): bigint => (a < b ? a : b);
