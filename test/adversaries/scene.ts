import { encodeFunctionData, decodeFunctionResult, parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { arityOf, nextAction, openingMove } from '../../fraud-proof/dispute/player.ts';
import type { Action, Carrier, ClaimedSplit, GameView, PlayOptions, Role } from '../../fraud-proof/dispute/player.ts';
import { statesOfBlob, versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import { segmentAt, segmentCount } from '../../fraud-proof/dispute/split.ts';
import { proveEntry } from '../../rollup-node/chain/entries.ts';
import { actionTransaction, gameTerms, splitArgument } from '../../rollup-node/disputes/turn.ts';
import type { TermsOfGame } from '../../rollup-node/disputes/turn.ts';
import { kzg } from '../../rollup-node/kzg.ts';
import { claimOf } from './claims.ts';
import type { Asked, Computation } from './inference.ts';
import type { Random } from './random.ts';
import type { Receipt, Stage, Transaction } from './stage.ts';

/** Seconds that an honest party takes for a transaction. */
const HONEST_DELAY = 24n;

export interface AssertionOnStage {
  readonly id: Hex;
  readonly sponsor: Address;
  /** The claim that it builds on, or zero. */
  readonly parent: Hex;
  /** What it claims: a list, on its parent. */
  readonly claim: Hex;
  readonly requestIds: readonly Hex[];
  readonly outputCommitments: readonly Hex[];
  readonly until: bigint;
}

/** A game, as its events tell of it. */
export interface GameOnStage {
  readonly id: Hex;
  readonly assertion: AssertionOnStage;
  /** The entry that it is about. */
  readonly entry: number;
  readonly terms: TermsOfGame;
  split: ClaimedSplit;
  moves: number;
  winner?: Role;
  closed: boolean;
}

/** A transaction that was sent in a scene. */
export interface Sent {
  readonly transaction: Transaction;
  readonly receipt: Receipt;
  readonly game: GameOnStage | null;
}

/** Something that does not hold: the honest side was harmed, or the contracts let pass what they should not. */
export class Broken extends Error {}

/** One adversary against one honest party, with fresh accounts, about one inference. */
export class Scene {
  readonly stage: Stage;
  readonly asked: Asked;
  readonly random: Random;
  /** The role that the honest party plays. */
  readonly honestRole: Role;
  readonly honest: Address;
  readonly attacker: Address;
  readonly accomplice: Address;
  readonly accounts: Address[];
  readonly games: GameOnStage[] = [];
  readonly assertions: AssertionOnStage[] = [];
  readonly sent: Sent[] = [];
  honestCarrier: Carrier = 'calldata';
  /** Gas of what the honest party sent in disputes. */
  honestGas = 0n;
  /** Wei that the game burnt, by its events. */
  burnt = 0n;
  /** Called with the honest party's transaction before it is in a block. */
  pending: ((transaction: Transaction, game: GameOnStage | null) => Promise<void>) | undefined;
  readonly #blobs = new Map<Hex, Uint8Array>();

  private constructor(stage: Stage, asked: Asked, random: Random, honestRole: Role, accounts: readonly [Address, Address, Address]) {
    this.stage = stage;
    this.asked = asked;
    this.random = random;
    this.honestRole = honestRole;
    [this.honest, this.attacker, this.accomplice] = accounts;
    this.accounts = [...accounts];
  }

  /** @param attackersCode makes the attacker a contract */
  static async open(stage: Stage, asked: Asked, random: Random, honestRole: Role, attackersCode?: Hex): Promise<Scene> {
    return new Scene(stage, asked, random, honestRole, [await stage.account(), await stage.account(attackersCode), await stage.account()]);
  }

  get truth(): Computation {
    return this.asked.inference.truth;
  }

  /** Lets time pass until then at least, with a block: what is read is as of the last one. */
  async passUntil(time: bigint): Promise<void> {
    if (this.stage.time < time) this.stage.time = time;
    await this.stage.send({ from: this.accomplice, to: this.accomplice, data: '0x' });
  }

  /** Another account of the attacker's. */
  async anotherAccount(code?: Hex): Promise<Address> {
    const account = await this.stage.account(code);
    this.accounts.push(account);
    return account;
  }

  /** Sends whatever it is, and notes what came of it. */
  async send(transaction: Transaction, game: GameOnStage | null = null): Promise<Receipt> {
    const receipt = await this.stage.send(transaction);
    for (const blob of transaction.blobs ?? []) this.#blobs.set(versionedHash(kzg.blobToKzgCommitment(blob)), blob);
    if (receipt.success) this.#note(receipt);
    this.sent.push({ transaction, receipt, game });
    return receipt;
  }

  /** What the honest party sends has to succeed, whatever happens before it; unless that has done the same, as anybody may: then it is not sent. */
  async sendHonest(transaction: Omit<Transaction, 'from'>, game: GameOnStage | null = null, isDone: () => boolean = () => false): Promise<Receipt | null> {
    const whole = { from: this.honest, ...transaction };
    this.stage.time += HONEST_DELAY;
    await this.pending?.(whole, game);
    if (isDone()) return null;
    const receipt = await this.send(whole, game);
    if (!receipt.success) throw new Broken("an honest party's transaction failed");
    this.honestGas += receipt.gas;
    return receipt;
  }

  /** Sends what no contract should accept. */
  async sendJunk(transaction: Transaction): Promise<void> {
    const before = await this.#facts();
    const receipt = await this.send(transaction);
    if (receipt.success) throw new Broken('a junk call succeeded');
    if ((await this.#facts()) !== before) throw new Broken('a call that reverted changed something');
  }

  /** Sends what may succeed, but has to change nothing of the games, the assertions and the honest party's credit. */
  async sendIdle(transaction: Transaction): Promise<void> {
    const before = await this.#facts();
    await this.send(transaction);
    if ((await this.#facts()) !== before) throw new Broken('a call changed what it should have left alone');
  }

  async #facts(): Promise<string> {
    const parts: Hex[] = [];
    for (const { id } of this.games) parts.push(await this.stage.read(this.stage.game, encodeFunctionData({ abi: dissectionGameAbi, functionName: 'game', args: [id] })));
    for (const { id } of this.assertions) parts.push(await this.stage.read(this.stage.assertions, encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'assertion', args: [id] })));
    return [...parts, await this.owed(this.honest), await this.stage.worthOf(this.honest)].join();
  }

  /** Wei that the contracts owe an account. */
  async owed(account: Address): Promise<bigint> {
    const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'owed', args: [account] });
    return BigInt(await this.stage.read(this.stage.game, data)) + BigInt(await this.stage.read(this.stage.assertions, data));
  }

  /** Reads of the assertions' contract. */
  async bond(): Promise<bigint> {
    return BigInt(await this.stage.read(this.stage.assertions, encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'bond' })));
  }

  async assertionTransaction(outputs: readonly Hex[], requestIds: readonly Hex[] = [this.asked.requestId], parent: Hex = zeroHash): Promise<Omit<Transaction, 'from'>> {
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'assertResults', args: [parent, requestIds, outputs] });
    return { to: this.stage.assertions, data, value: await this.bond() };
  }

  /** Asserts an output of the inference. @param parent the claim that the list builds on */
  async assert(sponsor: Address, output: Hex, parent: Hex = zeroHash): Promise<AssertionOnStage> {
    return this.assertList(sponsor, [this.asked.requestId], [output], parent);
  }

  async assertList(sponsor: Address, requestIds: readonly Hex[], outputs: readonly Hex[], parent: Hex = zeroHash): Promise<AssertionOnStage> {
    const before = this.assertions.length;
    const receipt = await this.send({ from: sponsor, ...(await this.assertionTransaction(outputs, requestIds, parent)) });
    const assertion = this.assertions[before];
    if (!receipt.success || assertion === undefined) throw new Broken('an assertion failed');
    return assertion;
  }

  async challengerStake(): Promise<bigint> {
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'terms', args: [this.asked.requestId] });
    return decodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'terms', data: await this.stage.read(this.stage.assertions, data) }).challengerStake;
  }

  /** The transaction that challenges an entry with one's own computation. */
  async challengeTransaction(assertion: AssertionOnStage, { source }: Computation, carrier: Carrier = 'calldata', entry = 0): Promise<Omit<Transaction, 'from'>> {
    const { opening, split } = await openingMove(this.asked.inference.steps, source, { carrier, kzg: kzg });
    const data = encodeFunctionData({
      abi: resultAssertionsAbi, functionName: 'challenge', args: [assertion.id, proveEntry({ requestIds: [...assertion.requestIds], outputCommitments: [...assertion.outputCommitments] }, entry), opening, splitArgument(split)],
    });
    return { to: this.stage.assertions, data, value: await this.challengerStake(), ...(split.blob === undefined ? {} : { blobs: [split.blob] }) };
  }

  /** Opens a game; null when the contracts refuse. */
  async challenge(by: Address, assertion: AssertionOnStage, computation: Computation, carrier: Carrier = 'calldata', entry = 0): Promise<GameOnStage | null> {
    const before = this.games.length;
    const transaction = await this.challengeTransaction(assertion, computation, carrier, entry);
    if (by === this.honest) await this.sendHonest(transaction);
    else await this.send({ from: by, ...transaction });
    return this.games.slice(before).find(({ terms }) => same(terms.challenger, by)) ?? null;
  }

  /** Whose turn it is. */
  turnOf(game: GameOnStage): Role {
    return game.moves % 2 === 0 ? 'asserter' : 'challenger';
  }

  /** The account that has the turn. */
  moverOf(game: GameOnStage): Address {
    return game.terms[this.turnOf(game)];
  }

  view(game: GameOnStage): GameView {
    const status = game.winner !== undefined ? 'settled' : game.moves === 0 ? 'awaiting-answer' : 'awaiting-move';
    return { status, turn: this.turnOf(game), split: game.split };
  }

  /** What a party with this computation would do next. @throws NothingToDisputeError */
  async actionOf(game: GameOnStage, { source }: Computation, carrier: Carrier = 'calldata'): Promise<Action | null> {
    return nextAction(this.view(game), this.turnOf(game), source, { carrier, kzg: kzg });
  }

  transactionOf(game: GameOnStage, action: Action): Omit<Transaction, 'from'> {
    const { to, data, value, blobs } = actionTransaction(action, game.id, game.terms, this.stage);
    return { to, data, ...(value === undefined ? {} : { value }), ...(blobs === undefined ? {} : { blobs }) };
  }

  /** The moment from which the party to move has lost. */
  async deadline(game: GameOnStage): Promise<bigint> {
    const data = await this.stage.read(this.stage.game, encodeFunctionData({ abi: dissectionGameAbi, functionName: 'game', args: [game.id] }));
    const { clock } = decodeFunctionResult({ abi: dissectionGameAbi, functionName: 'game', data });
    return BigInt(clock.turnStartedAt + (this.turnOf(game) === 'asserter' ? clock.asserterRemaining : clock.challengerRemaining));
  }

  termsArgument(game: GameOnStage): ReturnType<typeof gameTerms> {
    return gameTerms(game.terms, this.stage);
  }

  settlement(game: GameOnStage): Omit<Transaction, 'from'> {
    const { id, requestIds, outputCommitments } = game.assertion;
    const args = [id, requestIds[game.entry] as Hex, outputCommitments[game.entry] as Hex, this.termsArgument(game)] as const;
    return { to: this.stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args }) };
  }

  timeout(game: GameOnStage): Omit<Transaction, 'from'> {
    return { to: this.stage.game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'claimTimeout', args: [this.termsArgument(game)] }) };
  }

  /** True if an account plays in a game. */
  plays(account: Address, { terms }: GameOnStage): boolean {
    return same(terms.asserter, account) || same(terms.challenger, account);
  }

  #note({ logs }: Receipt): void {
    const options: PlayOptions = {};
    for (const event of parseEventLogs({ abi: resultAssertionsAbi, eventName: 'Asserted', logs: logs as never })) {
      const { assertionId: id, sponsor, parent, root, requestIds, outputCommitments, challengeableUntil: until } = event.args;
      this.assertions.push({ id, sponsor, parent, claim: claimOf(parent, root, requestIds.length), requestIds, outputCommitments, until });
    }
    const about = parseEventLogs({ abi: resultAssertionsAbi, eventName: 'Challenged', logs: logs as never });
    for (const event of parseEventLogs({ abi: dissectionGameAbi, logs: logs as never })) {
      if (event.eventName === 'Opened') {
        const { gameId: id, terms, states, blob } = event.args;
        const challenged = about.find(({ args }) => args.gameId === id);
        const assertion = this.assertions.find((one) => one.id === challenged?.args.assertionId);
        if (assertion === undefined || challenged === undefined) continue;
        this.games.push({
          id, assertion, entry: Number(challenged.args.index), moves: 0, closed: false, terms: { ...terms, allowance: BigInt(terms.allowance) },
          split: this.#split({ start: 0n, length: terms.steps }, terms.initialState, states, blob, options),
        });
      } else if (event.eventName === 'Moved') {
        const game = this.games.find(({ id }) => id === event.args.gameId)!;
        const { segment, start, states, blob } = event.args;
        game.split = this.#split(segmentAt(game.split, Number(segment), arityOf(game.split.carrier)), start, states, blob, options);
        game.moves += 1;
      } else if (event.eventName === 'Settled') {
        this.burnt += event.args.burnt;
        const game = this.games.find(({ id }) => id === event.args.gameId);
        if (game !== undefined) game.winner = event.args.asserterWon ? 'asserter' : 'challenger';
      }
    }
    for (const event of parseEventLogs({ abi: resultAssertionsAbi, eventName: 'GameSettled', logs: logs as never })) {
      const game = this.games.find(({ id }) => id === event.args.gameId);
      if (game !== undefined) game.closed = true;
    }
  }

  #split(segment: { start: bigint; length: bigint }, first: Hex, states: readonly Hex[], hash: Hex, options: PlayOptions): ClaimedSplit {
    if (hash === zeroHash) return { ...segment, states: [first, ...states], carrier: 'calldata' };
    const blob = this.#blobs.get(hash);
    if (blob === undefined) throw new Error('a blob is missing');
    return { ...segment, carrier: 'blob', blob, states: statesOfBlob(first, blob, states[0] as Hex, segmentCount(segment.length, arityOf('blob', options))) };
  }
}

export const same = (left: Address, right: Address): boolean => left.toLowerCase() === right.toLowerCase();
