import { setTimeout as pause } from 'node:timers/promises';
import type { Address, Hex, Log } from 'viem';
import type { ChainClient } from '../chain/client.ts';
import { describeLogs } from './describe-event.ts';
import type { Narration } from './describe-event.ts';

export interface TimelineOptions {
  readonly client: ChainClient;
  /** Contracts whose events are told. */
  readonly contracts: readonly Address[];
  readonly narration: Narration;
  readonly print: (line: string) => void;
}

/** Gas of one transaction, and what it did. */
export interface ToldTransaction { readonly hash: Hex; readonly gas: bigint; readonly clauses: readonly string[] }

/** Tells what happens on a chain, a line a transaction: seconds, who, what, gas. */
export interface Timeline {
  /** Everything told so far. */
  readonly told: readonly ToldTransaction[];
  /** Sets the clock to zero. */
  restart(): void;
  /** Tells what is left, and ends. */
  stop(): Promise<void>;
}

/** Starts to tell from the next block on. */
export async function startTimeline({ client, contracts, narration, print }: TimelineOptions): Promise<Timeline> {
  const told: ToldTransaction[] = [];
  let next = (await client.getBlockNumber()) + 1n;
  let begun = performance.now();
  let running = true;

  const tellTransaction = async (hash: Hex, logs: readonly Log[]): Promise<void> => {
    const clauses = describeLogs(logs, narration);
    if (clauses.length === 0) return;
    const { from, gasUsed } = await client.getTransactionReceipt({ hash });
    told.push({ hash, gas: gasUsed, clauses });
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1).padStart(5);
    const gas = gasUsed.toLocaleString('en').padStart(9);
    print(`  ${seconds} s  ${gas} gas  ${narration.nameOf(from).padEnd(10)}  ${clauses.join('; ')}`);
  };

  const tell = async (): Promise<void> => {
    const head = await client.getBlockNumber();
    if (head < next) return;
    const logs = await client.getLogs({ address: [...contracts], fromBlock: next, toBlock: head });
    next = head + 1n;
    for (const hash of new Set(logs.map(({ transactionHash }) => transactionHash))) {
      await tellTransaction(hash, logs.filter(({ transactionHash }) => transactionHash === hash));
    }
  };

  const loop = (async () => {
    while (running) {
      await tell();
      await pause(50);
    }
    await tell();
  })();
  return {
    told,
    restart: () => { begun = performance.now(); },
    stop: async () => {
      running = false;
      await loop;
    },
  };
}
