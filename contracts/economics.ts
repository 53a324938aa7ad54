import { BLOB_ARITY, calldataArity, segmentCount } from '../fraud-proof/dispute/split.ts';
import type { Arity } from '../fraud-proof/dispute/split.ts';

/** Gas at which `DissectionGame` meters the winner's part of a game: the contract's constants of these names. */
export interface MeteredGas {
  readonly opening: bigint;
  readonly answer: bigint;
  readonly move: bigint;
  readonly proof: bigint;
  readonly blobPick: bigint;
  /** Settling the end and fetching what it brings, and what the longest last split costs more than others. */
  readonly ending: bigint;
}

/** Receipt gas of the dearest transaction of each kind that was measured. */
export interface MeasuredGas extends MeteredGas {
  /** Settles a game that the clock ended. */
  readonly settle: bigint;
  readonly withdraw: bigint;
}

/** What is assumed of the world outside: prices, and what a machine does. */
export interface Assumptions {
  /** Wei for a unit of the winner's metered gas: what gas is taken to cost at most while a dispute is played. */
  readonly gasPrice: bigint;
  /** Wei for an hour of a machine with two cores. */
  readonly machineHour: bigint;
  /** Steps a second of an executor on one thread, keeping all tensors. */
  readonly stepsPerSecond: bigint;
  /** Hashes of 64 bytes a second on one thread; a word that is stored costs one. */
  readonly hashesPerSecond: bigint;
  /** Steps for each word that a model stores: at least 1; real models take more. */
  readonly stepsPerHash: bigint;
  /** Ratios hold for inferences of up to so many steps. */
  readonly steps: bigint;
}

/** The amounts of a deployment that follow from gas and prices: see `DeploymentParameters`. */
export interface Amounts {
  readonly bond: bigint;
  readonly bounty: bigint;
  readonly baseStake: bigint;
  readonly stakePerGigastep: bigint;
  readonly challengerFactor: bigint;
  readonly gasPrice: bigint;
  readonly stepsPerSecond: bigint;
}

/** Attackers lose so many times what honest parties have to lock. */
export const LEAST_RATIO = 10n;
/** Half of a bond pays so many bounties at least, so that a few sham winners do not use it up. */
export const LEAST_BOUNTIES = 50n;
/** Margin for what gas and machines cost: amounts are twice what is computed, paces half. */
const MARGIN = 2n;
/** Metered gas may be so many percent of the measured: more would pay for what nobody does. */
const MOST_METERED_PERCENT = 135n;
/** Splits that travel as calldata, where the deployment says nothing else. */
const ARITY = calldataArity(16);
const GIGASTEP = 1n << 30n;
const SECONDS_AN_HOUR = 3600n;

/** The least number with two significant digits that is not below `value`. */
export function roundUp(value: bigint): bigint {
  const unit = 10n ** BigInt(Math.max(0, value.toString().length - 2));
  return ((value + unit - 1n) / unit) * unit;
}

/** The greatest number with one significant digit that is not above `value`, which is positive. */
export function roundDown(value: bigint): bigint {
  const unit = 10n ** BigInt(value.toString().length - 1);
  return (value / unit) * unit;
}

/**
 * The most that a winner of a game about `steps` steps can be metered at, whoever chooses which carrier at which move and whichever
 * segment is picked. @param winner the side that wins
 */
export function longestGame(steps: bigint, winner: 'asserter' | 'challenger', metered: MeteredGas): bigint {
  const known = new Map<string, bigint>();
  const carriers: readonly { readonly arity: Arity; readonly pick: bigint }[] = [{ arity: ARITY, pick: 0n }, { arity: BLOB_ARITY, pick: metered.blobPick }];
  /** Of splits over `length` steps that the winner, or the other, has to answer; `turn` 0 is the answer. */
  const mostOf = (length: bigint, winnersTurn: boolean, turn: number): bigint => {
    const key = `${length} ${winnersTurn} ${turn === 0}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    let most = 0n;
    for (const { arity, pick } of carriers) {
      const count = BigInt(segmentCount(length, arity));
      for (const segment of new Set([length / count, (length + count - 1n) / count])) {
        const paid = segment === 1n ? metered.proof : turn === 0 ? metered.answer : metered.move;
        const rest = segment === 1n ? 0n : mostOf(segment, !winnersTurn, turn + 1);
        const total = rest + (winnersTurn ? paid + pick : 0n);
        if (total > most) most = total;
      }
    }
    known.set(key, most);
    return most;
  };
  return metered.ending + (winner === 'challenger' ? metered.opening + mostOf(steps, false, 0) : mostOf(steps, true, 0));
}

/** Wei of machine time for running an inference of 2^30 steps again and hashing all that it stores, one after the other on one thread. */
export function repetitionPrice({ machineHour, stepsPerSecond, hashesPerSecond, stepsPerHash }: Assumptions): bigint {
  const picoseconds = GIGASTEP * (10n ** 12n / stepsPerSecond + 10n ** 12n / (hashesPerSecond * stepsPerHash));
  return (picoseconds * machineHour) / (SECONDS_AN_HOUR * 10n ** 12n);
}

/** An asserter's stake in a game about `steps` steps, as `ResultAssertions` computes it. */
export const stakeOf = ({ baseStake, stakePerGigastep }: Amounts, steps: bigint): bigint => baseStake + ((steps * stakePerGigastep) >> 30n);

/** Bounties that half of the bond pays. */
export const bountiesOf = ({ bond, bounty }: Amounts): bigint => bond / (2n * bounty);

/** Gas of a challenger whom nobody answers: it opens, settles, and fetches its stake and the bounty, which are in two contracts. */
export const unansweredGas = ({ opening, settle, withdraw }: MeasuredGas): bigint => opening + settle + 2n * withdraw;

/** A ratio of what an attacker loses to what the honest side locks, in hundredths. */
export interface Ratios {
  readonly shamChallenge: bigint;
  readonly falseAssertion: bigint;
  /** A false assertion that is not answered, and half of its bond goes to the liar's own challengers. */
  readonly falseAssertionPayingItself: bigint;
}

/** The ratios of docs/dispute.md, "What it costs", for inferences of `steps` steps. */
export function ratios(amounts: Amounts, steps: bigint): Ratios {
  const stake = stakeOf(amounts, steps);
  const locked = amounts.challengerFactor * stake;
  return {
    shamChallenge: (100n * locked) / stake,
    falseAssertion: (100n * (amounts.bond / 2n + stake)) / locked,
    falseAssertionPayingItself: (100n * (amounts.bond / 2n)) / locked,
  };
}

/** The most steps for which every ratio is at least `LEAST_RATIO`. 0 if there is none. */
export function stepsWithin(amounts: Amounts): bigint {
  const stake = amounts.bond / (2n * LEAST_RATIO * amounts.challengerFactor);
  return stake < amounts.baseStake ? 0n : ((stake - amounts.baseStake) * GIGASTEP) / amounts.stakePerGigastep;
}

/**
 * The amounts that gas and prices call for.
 * - The stake covers the longest game's moves at the capped price, and running the inference again; the challenger's is ten times that.
 * - The bond is what makes the least ratio hold when half of it goes to the liar itself.
 * - The bounty pays a challenger whom nobody answers, and its run, with a margin.
 * - The pace of the clocks is half of what one thread does of the worst model that can be written: one that stores a word a step.
 */
export function amountsFor(metered: MeteredGas, measured: MeasuredGas, assumptions: Assumptions): Amounts {
  const challengerFactor = LEAST_RATIO;
  const longest = [longestGame(1n << 48n, 'asserter', metered), longestGame(1n << 48n, 'challenger', metered)].reduce((a, b) => (a > b ? a : b));
  const baseStake = roundUp(longest * assumptions.gasPrice);
  const stakePerGigastep = roundUp(MARGIN * repetitionPrice(assumptions));
  const stake = baseStake + ((assumptions.steps * stakePerGigastep) >> 30n);
  const repetition = (assumptions.steps * repetitionPrice(assumptions)) >> 30n;
  const worstPace = 10n ** 12n / (10n ** 12n / assumptions.stepsPerSecond + 10n ** 12n / assumptions.hashesPerSecond);
  return {
    bond: roundUp(2n * LEAST_RATIO * challengerFactor * stake),
    bounty: roundUp(MARGIN * (unansweredGas(measured) * assumptions.gasPrice + repetition)),
    baseStake, stakePerGigastep, challengerFactor,
    gasPrice: assumptions.gasPrice,
    stepsPerSecond: roundDown(worstPace / MARGIN),
  };
}

/** What is wrong with constants of metered gas: each has to be at or a little above what was measured. */
export function meteringProblems(metered: MeteredGas, measured: MeasuredGas): string[] {
  return (['opening', 'answer', 'move', 'proof', 'blobPick', 'ending'] as const).flatMap((name) => {
    const [paid, cost] = [metered[name], measured[name]];
    if (paid < cost) return [`${name}: metered at ${paid} gas, less than the ${cost} measured`];
    if (paid * 100n > cost * MOST_METERED_PERCENT) return [`${name}: metered at ${paid} gas, more than ${MOST_METERED_PERCENT} % of the ${cost} measured`];
    return [];
  });
}

/** What is wrong with a deployment's amounts. Empty when all conditions hold. */
export function problemsOf(amounts: Amounts, metered: MeteredGas, measured: MeasuredGas, assumptions: Assumptions): string[] {
  const problems: string[] = [];
  for (let bits = 0n; bits <= 48n; bits += 1n) {
    for (const winner of ['asserter', 'challenger'] as const) {
      const worth = longestGame(1n << bits, winner, metered) * amounts.gasPrice;
      // The loser is the other side.
      const stake = stakeOf(amounts, 1n << bits) * (winner === 'asserter' ? amounts.challengerFactor : 1n);
      if (worth > stake) problems.push(`2^${bits} steps: the ${winner}'s moves are worth ${worth} wei, more than the loser's stake of ${stake}`);
    }
    if (1n << bits > assumptions.steps) continue;
    for (const [attack, ratio] of Object.entries(ratios(amounts, 1n << bits))) {
      if (ratio < 100n * LEAST_RATIO) problems.push(`2^${bits} steps, ${attack}: the attacker loses ${ratio} hundredths of what the honest side locks`);
    }
  }
  const cost = unansweredGas(measured) * amounts.gasPrice + ((assumptions.steps * repetitionPrice(assumptions)) >> 30n);
  if (amounts.bounty < cost) problems.push(`the bounty of ${amounts.bounty} wei is less than the ${cost} that a challenge without an answer costs`);
  if (bountiesOf(amounts) < LEAST_BOUNTIES) problems.push(`half of the bond pays ${bountiesOf(amounts)} bounties, fewer than ${LEAST_BOUNTIES}`);
  if (amounts.stepsPerSecond > assumptions.hashesPerSecond) problems.push('the clocks want more steps a second than a machine can hash words');
  return problems;
}
