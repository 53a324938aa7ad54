import { encodeAbiParameters, encodeFunctionData, keccak256 } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { nextAction, openingMove } from '../../fraud-proof/dispute/player.ts';
import type { ClaimedSplit, Role, StateSource } from '../../fraud-proof/dispute/player.ts';
import { CALLDATA_ARITY, segmentAt } from '../../fraud-proof/dispute/split.ts';
import { actionTransaction, gameTerms, splitArgument } from '../../rollup-node/disputes/turn.ts';
import type { TermsOfGame } from '../../rollup-node/disputes/turn.ts';
import type { LocalRollup } from '../disputes/local-rollup.ts';
import type { Agenda, Task } from './agenda.ts';
import { BLOCK_SECONDS } from './blocks.ts';

/** How a side plays. */
export interface Player {
  readonly account: Address;
  readonly states: StateSource;
  /** `honest`: at once, many games' moves in one transaction. `stall`: as late as is legal, and never a proof that loses. `silent`: never. */
  readonly manner: 'honest' | 'stall' | 'silent';
}

/** What is asserted of a request, and by whom. */
export interface Asserted {
  readonly id: Hex;
  readonly requestId: Hex;
  readonly output: Hex;
  readonly initialState: Hex;
  readonly sponsor: Player;
}

/** How a game went. */
export interface Outcome {
  readonly asserted: Asserted;
  readonly challenger: Player;
  readonly winner: Role;
  /** When the end became legal to say, and when it was said. */
  readonly over: bigint;
  readonly settled: bigint;
}

/** Gas that a call reserves. */
const GAS = { challenge: 260_000n, answer: 130_000n, move: 110_000n, prove: 160_000n, settle: 190_000n } as const;
/** What a stalling player leaves of its clock for its later moves, in seconds. */
const LEFT_FOR_LATER = 600n;

/** The stakes that a side has in running games. */
export class Capital {
  now = 0n;
  peak = 0n;

  change(wei: bigint): void {
    this.now += wei;
    if (this.now > this.peak) this.peak = this.now;
  }
}

/** What all games of a simulation share. */
export interface Table {
  readonly rollup: LocalRollup;
  readonly agenda: Agenda;
  readonly steps: bigint;
  readonly terms: { readonly allowance: bigint; readonly asserterStake: bigint; readonly challengerStake: bigint };
  /** Stakes of honest players in running games. */
  readonly capital: Capital;
  readonly outcomes: Outcome[];
}

/** One game, from the challenge to the settlement: both sides' players put their calls on the agenda. */
export class Game {
  readonly #table: Table;
  readonly #asserted: Asserted;
  readonly #players: Record<Role, Player>;
  readonly #terms: TermsOfGame;
  readonly #id: Hex;
  readonly #remaining: Record<Role, bigint>;
  #split: ClaimedSplit = { start: 0n, length: 0n, states: [], carrier: 'calldata' };
  #turn: Role = 'asserter';
  #turnStartedAt = 0n;
  #answered = false;

  constructor(table: Table, asserted: Asserted, challenger: Player) {
    this.#table = table;
    this.#asserted = asserted;
    this.#players = { asserter: asserted.sponsor, challenger };
    const { allowance, asserterStake, challengerStake } = table.terms;
    const words = [asserted.id, asserted.requestId, asserted.output] as const;
    this.#terms = {
      asserter: asserted.sponsor.account, challenger: challenger.account, initialState: asserted.initialState, steps: table.steps,
      binding: keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }], words)),
      allowance, asserterStake, challengerStake,
    };
    this.#id = keccak256(encodeAbiParameters(dissectionGameAbi.find((item) => item.type === 'function' && item.name === 'claimTimeout')!.inputs as never, [gameTerms(this.#terms, table.rollup)] as never));
    this.#remaining = { asserter: allowance, challenger: allowance };
  }

  /** Plans the challenge. @param due block time before which it is not made */
  open(due: bigint): void {
    const { rollup, terms, steps } = this.#table;
    const challenger = this.#players.challenger;
    const { id, requestId, output, initialState } = this.#asserted;
    let states: Hex[] = [];
    this.#plan(challenger, due, GAS.challenge, async () => {
      const { opening, split } = await openingMove(steps, challenger.states);
      states = [initialState, ...split.inner, split.end];
      const entry = { index: 0n, requestId, outputCommitment: output, path: [] };
      const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'challenge', args: [id, entry, opening, splitArgument(split)] });
      return { to: rollup.assertions, data, ...(challenger.manner === 'honest' ? {} : { value: terms.challengerStake }) };
    }, () => {
      if (challenger.manner === 'honest') this.#table.capital.change(terms.challengerStake);
      this.#handOver('asserter', { start: 0n, length: steps, states, carrier: 'calldata' });
    });
  }

  get #now(): bigint {
    return this.#table.rollup.chain.time;
  }

  #plan({ account, manner }: Player, due: bigint, gas: bigint, call: Task['call'], done: () => void): void {
    this.#table.agenda.add({ from: account, batched: manner === 'honest', due, gas, call, done });
  }

  #handOver(to: Role, split: ClaimedSplit): void {
    this.#turn = to;
    this.#turnStartedAt = this.#now;
    this.#split = split;
    const player = this.#players[to];
    const lastMove = this.#turnStartedAt + this.#remaining[to];
    const single = split.length <= BigInt(CALLDATA_ARITY.most);
    if (player.manner === 'silent' || (player.manner === 'stall' && single)) {
      this.#settle(lastMove);
      return;
    }
    const patience = this.#remaining[to] > 2n * LEFT_FOR_LATER ? this.#remaining[to] - LEFT_FOR_LATER : this.#remaining[to] / 2n;
    this.#move(player, player.manner === 'honest' ? this.#turnStartedAt + BLOCK_SECONDS : this.#turnStartedAt + patience);
  }

  #move(player: Player, due: bigint): void {
    const role = this.#turn;
    const { rollup, terms } = this.#table;
    let next: ClaimedSplit | null = null;
    const gas = this.#split.length <= BigInt(CALLDATA_ARITY.most) ? GAS.prove : this.#answered ? GAS.move : GAS.answer;
    this.#plan(player, due, gas, async () => {
      const status = this.#answered ? 'awaiting-move' : 'awaiting-answer';
      const action = await nextAction({ status, turn: role, split: this.#split }, role, player.states);
      if (action === null) throw new Error('a player has no move in its own turn');
      const { to, data } = actionTransaction(action, this.#id, this.#terms, rollup);
      if (action.kind !== 'prove') {
        const { start, length } = segmentAt(this.#split, Number(action.pick.segment), CALLDATA_ARITY);
        next = { start, length, states: [action.pick.start, ...action.split.inner, action.split.end], carrier: 'calldata' };
      }
      return { to, data, ...(action.kind === 'answer' && player.manner !== 'honest' ? { value: terms.asserterStake } : {}) };
    }, () => {
      if (!this.#answered && player.manner === 'honest') this.#table.capital.change(terms.asserterStake);
      this.#answered = true;
      this.#remaining[role] -= this.#now - this.#turnStartedAt;
      if (next === null) this.#settle(this.#now, role);
      else this.#handOver(role === 'asserter' ? 'challenger' : 'asserter', next);
    });
  }

  /** Plans the settlement. @param over the moment at which it becomes legal @param proven who has won by a proof; absent: by the clock */
  #settle(over: bigint, proven?: Role): void {
    const winner = proven ?? (this.#turn === 'asserter' ? 'challenger' : 'asserter');
    const { id, requestId, output } = this.#asserted;
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args: [id, requestId, output, gameTerms(this.#terms, this.#table.rollup)] });
    this.#plan(this.#players[winner], over, GAS.settle, async () => ({ to: this.#table.rollup.assertions, data }), () => {
      const { terms, capital, outcomes } = this.#table;
      if (this.#players.challenger.manner === 'honest') capital.change(-terms.challengerStake);
      if (this.#players.asserter.manner === 'honest' && this.#answered) capital.change(-terms.asserterStake);
      outcomes.push({ asserted: this.#asserted, challenger: this.#players.challenger, winner, over, settled: this.#now });
    });
  }
}
