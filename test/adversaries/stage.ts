import { numberToHex } from 'viem';
import type { Address, Hex } from 'viem';
import { MAIN_PARAMETERS } from '../../contracts/deploy.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { openArena } from '../../rollup-node/match/arena.ts';
import { openLocalRollup } from '../disputes/local-rollup.ts';
import type { LocalTransaction } from '../disputes/local-chain.ts';

export type Transaction = LocalTransaction;

export interface Receipt {
  readonly success: boolean;
  readonly logs: readonly { readonly address: Address; readonly topics: [Hex, ...Hex[]]; readonly data: Hex }[];
  readonly gas: bigint;
}

/** A chain with the contracts on it, as adversaries and their victims see it. */
export interface Stage {
  readonly game: Address;
  readonly assertions: Address;
  readonly inbox: Address;
  /** Whether transactions can carry blobs. */
  readonly blobs: boolean;
  /** Seconds of block time that the next transaction has, at least. */
  time: bigint;
  /** Sends a transaction; one that reverts is no error. */
  send(transaction: Transaction): Promise<Receipt>;
  /** What a call returns now. */
  read(to: Address, data: Hex): Promise<Hex>;
  /** Wei of an account; gas is free. */
  worthOf(account: Address): Promise<bigint>;
  /** A new account with `WEALTH` wei. @param code that of a contract */
  account(code?: Hex): Promise<Address>;
  /** Publishes a model. */
  register(model: Model): Promise<Address>;
  /** Asks a model for an inference; gives the request's id. */
  request(model: Model, contract: Address, elements: Uint8Array): Promise<Hex>;
  close(): Promise<void>;
}

/** Wei that every account begins with. */
export const WEALTH = 10n ** 24n;
const FIRST_ACCOUNT = 0xadd_0000_0000;
/** Cap on a transaction's gas (EIP-7825). */
const GAS_LIMIT = 2n ** 24n;

const accountNumber = (number: number): Address => numberToHex(FIRST_ACCOUNT + number, { size: 20 });

/** A chain in this process. */
export async function localStage(): Promise<Stage> {
  const rollup = await openLocalRollup(MAIN_PARAMETERS);
  const { chain, game, assertions, inbox } = rollup;
  const asker = await rollup.account(1);
  let accounts = 0;
  return {
    game, assertions, inbox, blobs: true,
    get time() { return chain.time; },
    set time(time) { chain.time = time; },
    send: (transaction) => chain.send(transaction),
    read: async (to, data) => (await chain.send({ from: asker, to, data })).returned,
    worthOf: (account) => chain.balanceOf(account),
    account: async (code) => {
      const address = accountNumber(accounts++);
      await chain.fund(address, WEALTH);
      if (code !== undefined) await chain.putCode(address, code);
      return address;
    },
    register: (model) => rollup.register(encodeModel(model)),
    request: (model, contract, elements) => rollup.request(asker, encodeModel(model), contract, elements),
    close: async () => undefined,
  };
}

/** Anvil, with real blocks, signatures aside. @throws UserError when anvil is missing */
export async function anvilStage(): Promise<Stage> {
  const arena = await openArena(MAIN_PARAMETERS);
  const { client, deployment } = arena;
  const ask = (method: string, params: unknown[]): Promise<unknown> => client.request({ method, params } as never);
  await ask('anvil_autoImpersonateAccount', [true]);
  // Gas is counted, not paid: so that wei can be counted, too.
  const free = (): Promise<unknown> => ask('anvil_setNextBlockBaseFeePerGas', ['0x0']);
  let [accounts, last, wanted] = [0, (await client.getBlock()).timestamp, 0n];
  return {
    game: deployment.dissectionGame, assertions: deployment.resultAssertions, inbox: deployment.inbox, blobs: false,
    get time() { return wanted > last ? wanted : last + 1n; },
    set time(time) { wanted = time; },
    send: async ({ from, to, data, value = 0n }) => {
      last = wanted > last ? wanted : last + 1n;
      await ask('evm_setNextBlockTimestamp', [Number(last)]);
      await free();
      const hash = (await ask('eth_sendTransaction', [{ from, to, data, value: numberToHex(value), gas: numberToHex(GAS_LIMIT), gasPrice: '0x0' }])) as Hex;
      const { status, logs, gasUsed } = await client.waitForTransactionReceipt({ hash });
      return { success: status === 'success', gas: gasUsed, logs: logs as unknown as Receipt['logs'] };
    },
    read: async (to, data) => (await client.call({ to, data })).data ?? '0x',
    worthOf: (account) => client.getBalance({ address: account }),
    account: async (code) => {
      const address = accountNumber(accounts++);
      await ask('anvil_setBalance', [address, numberToHex(WEALTH)]);
      if (code !== undefined) await ask('anvil_setCode', [address, code]);
      return address;
    },
    register: (model) => arena.register(encodeModel(model)),
    request: async (model, contract, elements) => {
      const id = await arena.request(encodeModel(model), contract, elements);
      last = (await client.getBlock()).timestamp;
      return id;
    },
    close: () => arena.close(),
  };
}
