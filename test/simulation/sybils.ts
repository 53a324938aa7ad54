import { encodeFunctionData } from 'viem';
import type { Address, Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { MAIN_PARAMETERS } from '../../contracts/deploy.ts';
import { BLOCK_SECONDS } from './blocks.ts';
import { RIGHT, Scene, STEPS } from './scene.ts';
import type { Player } from './games.ts';
import type { Instance } from './scene.ts';

/** What Sybils may do; see docs/benchmarks.md, "Sybils". */
export const KINDS = ['false-assertions', 'false-challenges', 'staggered-challenges', 'truth-sponsored-to-lose', 'sham-games', 'bounties-to-itself', 'chain'] as const;
export type Kind = (typeof KINDS)[number];

export interface Result {
  readonly kind: Kind;
  readonly sybils: number;
  /** Seconds from an assertion until nothing holds its outcome back: the longest of those that the honest party cares for. */
  readonly delay: number;
  /** The same until the transaction that says so is in a block. */
  readonly recorded: number;
  /** The closed form of docs/dispute.md. */
  readonly bound: number;
  readonly games: number;
  readonly honestGas: number;
  readonly honestTransactions: number;
  readonly attackerGas: number;
  /** Inferences that the honest party ran again, keeping their tensors. */
  readonly reruns: number;
  /** Ether of the honest party's stakes in running games, at most; and of its bonds. */
  readonly honestStakes: number;
  readonly honestBonds: number;
  /** Ether that the attackers did not get back. */
  readonly attackerLoss: number;
  /** Loss by stakes locked; null where the honest party locked none. */
  readonly ratio: number | null;
  /** Ether that the honest party got beyond what it brought, gas not counted. */
  readonly honestGain: number;
}

const ether = (wei: bigint): number => Number(wei) / 1e18;
const { window, baseAllowance, stepsPerSecond } = MAIN_PARAMETERS;
/** The latest moment of an outcome, in seconds after the assertion. */
const BOUND = window + STEPS / stepsPerSecond + 2n * (baseAllowance + (STEPS + stepsPerSecond - 1n) / stepsPerSecond);

/** What last-minute challenges leave of the window, in seconds: a thousand of them take several blocks. */
const LAST_MINUTES = 240n;

/** What has to come of an instance. */
interface Expected {
  readonly instance: Instance;
  readonly outcome: 'final' | 'defeated';
}

type Attack = (scene: Scene, sybils: number, start: bigint, expect: (expected: Expected) => void) => Promise<void>;

/** Every Sybil asserts another lie about a request of its own, plays on for as long as it can, and is challenged by the honest party. */
const falseAssertions: Attack = async (scene, sybils, start, expect) => {
  await scene.deposit(scene.rollup.assertions, BigInt(sybils) * scene.table.terms.challengerStake);
  for (let number = 0; number < sybils; number += 1) {
    const question = await scene.ask(number);
    const liar = scene.liar(await scene.attacker(), question, 'stall', number);
    scene.assert(scene.plan(question, liar.output, liar), start, (instance) => {
      expect({ instance, outcome: 'defeated' });
      scene.challenge(instance, scene.honestPlayer(question), scene.blocks.time + BLOCK_SECONDS);
    });
  }
};

/** The honest party's assertion is challenged by every Sybil, each `apart` seconds after the one before. */
const falseChallenges = (apart: (sybils: number) => bigint): Attack => async (scene, sybils, start, expect) => {
  await scene.deposit(scene.rollup.game, BigInt(sybils) * scene.table.terms.asserterStake);
  const question = await scene.ask(0);
  const challengers: Player[] = [];
  for (let number = 0; number < sybils; number += 1) challengers.push(scene.liar(await scene.attacker(), question, 'stall', number));
  scene.assert(scene.plan(question, RIGHT, scene.honestPlayer(question)), start, (instance) => {
    expect({ instance, outcome: 'final' });
    challengers.forEach((challenger, number) => scene.challenge(instance, challenger, scene.blocks.time + BigInt(number + 1) * apart(sybils)));
  });
};

/** Every Sybil sponsors the truth beside the honest party, and loses it to an accomplice by saying nothing. */
const truthSponsoredToLose: Attack = async (scene, sybils, start, expect) => {
  const question = await scene.ask(0);
  scene.assert(scene.plan(question, RIGHT, scene.honestPlayer(question)), start, (instance) => expect({ instance, outcome: 'final' }));
  for (let number = 0; number < sybils; number += 1) {
    const saboteur = { ...scene.honestPlayer(question), account: await scene.attacker(), manner: 'silent' as const };
    const accomplice = scene.liar(await scene.attacker(), question, 'stall', number);
    scene.assert(scene.plan(question, RIGHT, saboteur), start, (instance) => {
      expect({ instance, outcome: 'defeated' });
      scene.challenge(instance, accomplice, scene.blocks.time);
    });
  }
};

/**
 * One lie. The honest party challenges it at once; every Sybil plays a game against it that it is made to win, opened in the last minutes.
 * @param manner of the liar: with `stall` both sides of a sham game use their clocks up; with `silent` the liar saves its stakes
 */
const shamGames = (manner: 'stall' | 'silent'): Attack => async (scene, sybils, start, expect) => {
  await scene.deposit(scene.rollup.assertions, scene.table.terms.challengerStake);
  const question = await scene.ask(0);
  const liar = scene.liar(await scene.attacker(), question, manner, 0);
  const accomplices: Address[] = [];
  for (let number = 0; number < sybils; number += 1) accomplices.push(await scene.attacker());
  scene.assert(scene.plan(question, liar.output, liar), start, (instance) => {
    expect({ instance, outcome: 'defeated' });
    // With `silent` they come first, so that bounties go to them.
    const opened = scene.blocks.time + (manner === 'stall' ? window - LAST_MINUTES : 0n);
    for (const account of accomplices) scene.challenge(instance, { ...scene.honestPlayer(question), account, manner: 'stall' }, opened);
    scene.challenge(instance, scene.honestPlayer(question), scene.blocks.time + BLOCK_SECONDS);
  });
};

/** A chain of right lists, each on the one before. Each is challenged by a Sybil in the last minutes, and sponsored by another in order to lose it. */
const chain: Attack = async (scene, sybils, start, expect) => {
  await scene.deposit(scene.rollup.game, BigInt(sybils) * scene.table.terms.asserterStake);
  let parent: Hex | undefined;
  for (let number = 0; number < sybils; number += 1) {
    const question = await scene.ask(number);
    const planned = scene.plan(question, RIGHT, scene.honestPlayer(question), parent);
    const challenger = scene.liar(await scene.attacker(), question, 'stall', number);
    const due = start + BigInt(number) * BLOCK_SECONDS;
    scene.assert(planned, due, (instance) => {
      expect({ instance, outcome: 'final' });
      scene.challenge(instance, challenger, scene.blocks.time + window - LAST_MINUTES);
    });
    const saboteur = { ...scene.honestPlayer(question), account: await scene.attacker(), manner: 'silent' as const };
    const accomplice = scene.liar(await scene.attacker(), question, 'stall', number);
    scene.assert(scene.plan(question, RIGHT, saboteur, parent), due, (instance) => {
      expect({ instance, outcome: 'defeated' });
      scene.challenge(instance, accomplice, scene.blocks.time);
    });
    parent = planned.claim;
  }
};

const ATTACKS: Record<Kind, Attack> = {
  'false-assertions': falseAssertions,
  'false-challenges': falseChallenges(() => 0n),
  // The last one in one of the last blocks before the window closes.
  'staggered-challenges': falseChallenges((sybils) => (window - LAST_MINUTES) / BigInt(sybils)),
  'truth-sponsored-to-lose': truthSponsoredToLose,
  'sham-games': shamGames('stall'),
  'bounties-to-itself': shamGames('silent'),
  chain,
};

/**
 * Plays an attack of so many Sybils on the contracts to its end. @param blockGas gas that a block has room for
 * @throws Error when an honest party loses a game or wei, an instance comes out otherwise than it should, or a closed form is exceeded
 */
export async function attack(kind: Kind, sybils: number, blockGas: bigint): Promise<Result> {
  const scene = await Scene.open(blockGas);
  const expected: Expected[] = [];
  const start = scene.blocks.time + BLOCK_SECONDS;
  await ATTACKS[kind](scene, sybils, start, (one) => expected.push(one));
  await scene.agenda.run();
  const { outcomes, capital } = scene.table;

  const lost = outcomes.find(({ asserted, challenger, winner }) => (winner === 'asserter' ? challenger : asserted.sponsor).account === scene.honest);
  if (lost !== undefined) throw new Error(`${kind}, ${sybils}: the honest party lost a game against ${lost.challenger.account} or ${lost.asserted.sponsor.account}`);

  const over = new Map<Hex, { over: bigint; settled: bigint }>();
  for (const { asserted: { id }, over: moment, settled } of outcomes) {
    const before = over.get(id);
    over.set(id, { over: before !== undefined && before.over > moment ? before.over : moment, settled: before !== undefined && before.settled > settled ? before.settled : settled });
  }
  let [delay, recorded] = [0n, 0n];
  const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  const finals = expected.filter(({ outcome }) => outcome === 'final');
  for (const { instance, outcome } of expected) {
    const closed = instance.assertedAt + window + STEPS / stepsPerSecond;
    const ends = over.get(instance.id);
    const moment = outcome === 'final' ? later(closed, ends?.over ?? 0n) : (ends?.over ?? closed);
    // `settle` is made by whoever has won; a game ended late because a block was full was legally over before.
    if (moment - instance.assertedAt > BOUND) throw new Error(`${kind}, ${sybils}: an outcome after ${moment - instance.assertedAt} s, more than ${BOUND}`);
    const cared = outcome === 'final' || kind !== 'chain' && kind !== 'truth-sponsored-to-lose';
    if (!cared) continue;
    delay = later(delay, moment - instance.assertedAt);
    recorded = later(recorded, later(moment, ends?.settled ?? 0n) - instance.assertedAt);
  }

  // Everything final is confirmed, parents first, and the bonds come back.
  scene.blocks.advance(finals.reduce((last, { instance }) => later(last, instance.assertedAt + window + STEPS / stepsPerSecond), 0n));
  for (const { instance } of finals) {
    scene.confirm(instance.id, scene.blocks.time, () => undefined);
  }
  await scene.agenda.run();
  for (const { instance, outcome } of expected) {
    const phase = await scene.phase(instance.id);
    if (phase !== outcome) throw new Error(`${kind}, ${sybils}: an assertion is ${phase} and should be ${outcome}`);
    if (outcome === 'final') await scene.sendHonest(scene.rollup.assertions, encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'withdrawBond', args: [instance.id] }));
  }
  return await measure(scene, kind, sybils, delay, recorded, capital.peak);
}

async function measure(scene: Scene, kind: Kind, sybils: number, delay: bigint, recorded: bigint, stakes: bigint): Promise<Result> {
  const { outcomes } = scene.table;
  const { rollup, agenda, honest } = scene;
  const own = agenda.accounts.get(honest) ?? { gas: 0n, transactions: 0, sent: 0n };
  let [loss, attackerGas, owed] = [0n, 0n, 0n];
  for (const account of scene.attackers) {
    const { gas, sent } = agenda.accounts.get(account) ?? { gas: 0n, sent: 0n };
    const credit = await scene.credit(account);
    loss += sent - credit;
    attackerGas += gas;
    owed += credit;
  }
  const credit = await scene.credit(honest);
  const brought = own.sent;
  if (credit < brought) throw new Error(`${kind}, ${sybils}: the honest party is owed ${credit} wei of ${brought}`);
  const held = (await rollup.chain.balanceOf(rollup.game)) + (await rollup.chain.balanceOf(rollup.assertions));
  if (held < owed + credit) throw new Error(`${kind}, ${sybils}: the contracts hold ${held} wei and owe ${owed + credit}`);
  if (loss < 0n) throw new Error(`${kind}, ${sybils}: the attackers gain ${-loss} wei`);
  const ratio = stakes === 0n ? null : Number((1000n * loss) / stakes) / 1000;
  if (ratio !== null && ratio < 9.9) throw new Error(`${kind}, ${sybils}: the attackers lose only ${ratio} times what the honest party locks`);
  return {
    kind, sybils, delay: Number(delay), recorded: Number(recorded), bound: Number(BOUND), games: outcomes.length,
    honestGas: Number(own.gas), honestTransactions: own.transactions, attackerGas: Number(attackerGas),
    reruns: new Set(outcomes.filter(({ asserted, challenger }) => [asserted.sponsor.account, challenger.account].includes(honest)).map(({ asserted }) => asserted.requestId)).size,
    honestStakes: ether(stakes), honestBonds: ether(scene.bonds), attackerLoss: ether(loss), ratio, honestGain: ether(credit - brought),
  };
}

