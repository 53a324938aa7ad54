import { decodeFunctionResult, encodeFunctionData } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { Blocks } from './blocks.ts';
import { BLOCK_SECONDS } from './blocks.ts';

/** Gas that a batch may take: a transaction's cap (EIP-7825), with some room. */
const BATCH_GAS = 15_000_000n;

/** A call that somebody is going to make. */
export interface Task {
  /** Block time before which it is not made. */
  readonly due: bigint;
  readonly from: Address;
  /** Made together with the same account's other calls to the same contract, if it brings no value. */
  readonly batched: boolean;
  /** Gas that it takes at most. */
  readonly gas: bigint;
  /** Called when it is made; null: no longer wanted. */
  readonly call: () => Promise<{ readonly to: Address; readonly data: Hex; readonly value?: bigint } | null>;
  /** Called once it is in a block. */
  readonly done: () => void;
}

/** Gas and wei of an account's transactions. */
export interface Account {
  gas: bigint;
  transactions: number;
  sent: bigint;
}

/** Makes calls in the order of time, in blocks; who does not fit waits for the next block. */
export class Agenda {
  readonly accounts = new Map<Address, Account>();
  readonly #blocks: Blocks;
  #tasks: Task[] = [];

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  add(task: Task): void {
    this.#tasks.push(task);
  }

  /** Goes on, jumping from one time at which something is due to the next, until nobody plans anything. */
  async run(): Promise<void> {
    while (this.#tasks.length > 0) {
      this.#blocks.advance(this.#tasks.reduce((first, { due }) => (due < first ? due : first), this.#tasks[0]!.due));
      const now = this.#blocks.time;
      const ready = this.#tasks.filter(({ due }) => due <= now);
      this.#tasks = this.#tasks.filter(({ due }) => due > now);
      // Attackers bid more than the honest side: they come first in every block.
      for (const task of ready.filter(({ batched }) => !batched)) await this.#single(task);
      await this.#batches(ready.filter(({ batched }) => batched));
    }
  }

  async #single(task: Task): Promise<void> {
    const call = await task.call();
    if (call === null) return;
    if (await this.#send({ from: task.from, ...call, gasLimit: task.gas })) task.done();
    else this.#later(task);
  }

  async #batches(tasks: readonly Task[]): Promise<void> {
    const groups = new Map<string, { to: Address; from: Address; calls: Hex[]; gas: bigint; tasks: Task[] }[]>();
    for (const task of tasks) {
      const call = await task.call();
      if (call === null) continue;
      const key = `${task.from} ${call.to}`;
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      let batch = group.at(-1);
      if (batch === undefined || batch.gas + task.gas > BATCH_GAS) group.push((batch = { to: call.to, from: task.from, calls: [], gas: 0n, tasks: [] }));
      batch.calls.push(call.data);
      batch.gas += task.gas;
      batch.tasks.push(task);
    }
    for (const { to, from, calls, gas, tasks: made } of [...groups.values()].flat()) {
      const data = calls.length === 1 ? calls[0]! : encodeFunctionData({ abi: dissectionGameAbi, functionName: 'batch', args: [calls] });
      const returned = await this.#send({ from, to, data, gasLimit: gas + 50_000n });
      if (returned === null) {
        made.forEach((task) => this.#later(task));
        continue;
      }
      const succeeded = calls.length === 1 ? [true] : decodeFunctionResult({ abi: dissectionGameAbi, functionName: 'batch', data: returned });
      if (succeeded.includes(false)) throw new Error(`item ${succeeded.indexOf(false)} of a batch of the honest side failed`);
      made.forEach((task) => task.done());
    }
  }

  async #send(transaction: Parameters<Blocks['send']>[0]): Promise<Hex | null> {
    const receipt = await this.#blocks.send(transaction);
    if (receipt === null) return null;
    this.charge(transaction.from, receipt.gas, transaction.value ?? 0n);
    return receipt.returned;
  }

  /** Counts a transaction. */
  charge(from: Address, gas: bigint, value: bigint): void {
    const account = this.accounts.get(from) ?? { gas: 0n, transactions: 0, sent: 0n };
    account.gas += gas;
    account.transactions += 1;
    account.sent += value;
    this.accounts.set(from, account);
  }

  #later(task: Task): void {
    this.#tasks.push({ ...task, due: this.#blocks.time + BLOCK_SECONDS });
  }
}
