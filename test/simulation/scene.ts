import { concat, decodeFunctionResult, encodeAbiParameters, encodeFunctionData, keccak256, numberToHex, pad, parseEventLogs, stringToHex, toHex } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, inboxAbi, modelContractAbi, modelRegistryAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { MAIN_PARAMETERS } from '../../contracts/deploy.ts';
import { openLocalRollup } from '../disputes/local-rollup.ts';
import type { LocalRollup } from '../disputes/local-rollup.ts';
import { Agenda } from './agenda.ts';
import { Blocks } from './blocks.ts';
import { contextOf, countingMachine, initialState, statesOf } from './counting-machine.ts';
import { Capital, Game } from './games.ts';
import type { Asserted, Player, Table } from './games.ts';

/** Steps of an inference: those of the MNIST CNN. */
export const STEPS = 1_502_441n;
/** The one output that the machine knows. */
export const RIGHT: Hex = keccak256(stringToHex('right'));
const NO_PARENT: Hex = pad('0x', { size: 32 });
const ASSERT_GAS = 150_000n;
const CONFIRM_GAS = 90_000n;

/** A request, and how to compute it. */
export interface Question {
  readonly id: Hex;
  readonly context: Hex;
}

/** An instance that an honest party defends, or that it has to bring down. */
export interface Instance extends Asserted {
  readonly assertedAt: bigint;
  readonly claim: Hex;
}

/** A deployment with the main parameters, a model of `STEPS` steps on a machine that counts, and players with money. */
export class Scene {
  readonly rollup: LocalRollup;
  readonly blocks: Blocks;
  readonly agenda: Agenda;
  readonly table: Table;
  /** The one honest party. */
  readonly honest: Address;
  /** Bonds of the honest party's assertions, wei. */
  bonds = 0n;
  readonly #model: Address;
  readonly #nonces = new Map<Address, bigint>();
  readonly attackers: Address[] = [];
  #accounts = 1;

  private constructor(rollup: LocalRollup, honest: Address, model: Address, terms: Table['terms'], blockGas: bigint) {
    this.rollup = rollup;
    this.honest = honest;
    this.#model = model;
    this.blocks = new Blocks(rollup.chain, blockGas);
    this.agenda = new Agenda(this.blocks);
    this.table = { rollup, agenda: this.agenda, steps: STEPS, terms, capital: new Capital(), outcomes: [] };
  }

  /** @param blockGas gas that a block has room for */
  static async open(blockGas: bigint): Promise<Scene> {
    const rollup = await openLocalRollup(MAIN_PARAMETERS, countingMachine(STEPS, RIGHT));
    const honest = await rollup.account(0);
    const word = (value: bigint): Hex => toHex(value, { size: 32 });
    const signature = 'detect(string)->(string)';
    const header = [keccak256(stringToHex('assay.program.v1')), word(3n), word(1n), word(0n), word((1n << 64n) | (1n << 32n) | 64n), word(STEPS), keccak256(stringToHex(signature)), word(0n)] as const;
    const { logs } = await rollup.send({ from: honest, to: rollup.registry, data: encodeFunctionData({ abi: modelRegistryAbi, functionName: 'register', args: [header, signature, 0n, ''] }) });
    const [registered] = parseEventLogs({ abi: modelRegistryAbi, eventName: 'ModelRegistered', logs: logs as never });
    const { returned } = await rollup.send({ from: honest, to: rollup.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'termsOf', args: [STEPS] }) });
    const { allowance, asserterStake, challengerStake } = decodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'termsOf', data: returned });
    return new Scene(rollup, honest, registered!.args.model, { allowance: BigInt(allowance), asserterStake, challengerStake }, blockGas);
  }

  /** An attacker's account of its own. */
  async attacker(): Promise<Address> {
    const account = await this.rollup.account(this.#accounts);
    this.#accounts += 1;
    this.attackers.push(account);
    return account;
  }

  /** Asks for an inference. What that costs is nobody's here. */
  async ask(number: number): Promise<Question> {
    const from = await this.rollup.account(999_999);
    const call = (to: Address, data: Hex, value = 0n) => this.rollup.send({ from, to, data, value });
    const fee = BigInt((await call(this.#model, encodeFunctionData({ abi: modelContractAbi, functionName: 'defaultFee' }))).returned);
    const detect = [{ type: 'function', name: 'detect', stateMutability: 'payable', inputs: [{ type: 'string', name: 'text' }], outputs: [] }] as const;
    const { logs } = await call(this.#model, encodeFunctionData({ abi: detect, functionName: 'detect', args: [`text ${number}`] }), fee);
    const [requested] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs: logs as never });
    const id = requested!.args.requestId;
    const { returned } = await call(this.rollup.inbox, encodeFunctionData({ abi: inboxAbi, functionName: 'facts', args: [id] }));
    const [modelId, inputCommitment, seed] = decodeFunctionResult({ abi: inboxAbi, functionName: 'facts', data: returned });
    return { id, context: contextOf(modelId, inputCommitment, seed) };
  }

  /** The honest party in the matter of a request. */
  honestPlayer = ({ context }: Question): Player => ({ account: this.honest, manner: 'honest', states: statesOf(context, STEPS, RIGHT) });

  /** Somebody who lies about a request, each from another step on. */
  liar(account: Address, { context }: Question, manner: Player['manner'], number: number): Player & { readonly output: Hex } {
    const output = keccak256(concat([stringToHex('wrong'), numberToHex(number, { size: 32 })]));
    const fault = (BigInt(output) % STEPS) + 1n;
    return { account, manner, output, states: statesOf(context, STEPS, RIGHT, { fault, output }) };
  }

  /** What an assertion of one entry will be, when its sponsor's next one is it. */
  plan(question: Question, output: Hex, sponsor: Player, parent: Hex = NO_PARENT): Omit<Instance, 'assertedAt'> & { readonly parent: Hex } {
    const root = keccak256(concat([question.id, output]));
    const claim = keccak256(concat([parent, root, numberToHex(1, { size: 32 })]));
    const nonce = this.#nonces.get(sponsor.account) ?? 0n;
    this.#nonces.set(sponsor.account, nonce + 1n);
    const id = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'address' }, { type: 'uint256' }], [claim, sponsor.account, nonce]));
    return { id, requestId: question.id, output, initialState: initialState(question.context), sponsor, claim, parent };
  }

  /** Puts an assertion on the agenda. An account's are made in the order in which they were planned. */
  assert(planned: ReturnType<Scene['plan']>, due: bigint, then: (instance: Instance) => void = () => undefined): void {
    const { sponsor, requestId, output, parent } = planned;
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'assertResults', args: [parent, [requestId], [output]] });
    const bond = MAIN_PARAMETERS.bond;
    this.agenda.add({
      from: sponsor.account, batched: false, due, gas: ASSERT_GAS,
      call: async () => ({ to: this.rollup.assertions, data, value: bond }),
      done: () => {
        if (sponsor.account === this.honest) this.bonds += bond;
        then({ ...planned, assertedAt: this.blocks.time });
      },
    });
  }

  challenge(asserted: Asserted, challenger: Player, due: bigint): void {
    new Game(this.table, asserted, challenger).open(due);
  }

  /** The honest party's word that a claim is final, so that what builds on it can be. */
  confirm(assertionId: Hex, due: bigint, done: () => void): void {
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'confirm', args: [assertionId] });
    this.agenda.add({ from: this.honest, batched: true, due, gas: CONFIRM_GAS, call: async () => ({ to: this.rollup.assertions, data }), done });
  }

  /** Credit from which the honest party's batches pay stakes. */
  async deposit(contract: Address, wei: bigint): Promise<void> {
    await this.sendHonest(contract, encodeFunctionData({ abi: dissectionGameAbi, functionName: 'deposit', args: [this.honest] }), wei);
  }

  /** A transaction of the honest party's that competes with nobody's. */
  async sendHonest(to: Address, data: Hex, value = 0n): Promise<void> {
    const { gas } = await this.rollup.send({ from: this.honest, to, data, value });
    this.agenda.charge(this.honest, gas, value);
  }

  async read(to: Address, data: Hex): Promise<Hex> {
    return (await this.rollup.send({ from: await this.rollup.account(999_999), to, data })).returned;
  }

  /** Wei that the two contracts owe an account. */
  async credit(account: Address): Promise<bigint> {
    const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'owed', args: [account] });
    return BigInt(await this.read(this.rollup.game, data)) + BigInt(await this.read(this.rollup.assertions, data));
  }

  /** Name of the phase in which an assertion is, as the contract says. */
  async phase(id: Hex): Promise<'challengeable' | 'disputed' | 'waiting' | 'final' | 'defeated' | 'none'> {
    const returned = await this.read(this.rollup.assertions, encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'phase', args: [id] }));
    return (['none', 'challengeable', 'disputed', 'waiting', 'final', 'defeated'] as const)[Number(BigInt(returned))]!;
  }
}
