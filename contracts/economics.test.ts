import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../fraud-proof/machine/testing/random.ts';
import { PARAMETERS_FILE, parametersSource } from './bonds.ts';
import { DEVNET_PARAMETERS, MAIN_PARAMETERS } from './deploy.ts';
import { amountsFor, bountiesOf, longestGame, meteringProblems, problemsOf, ratios, repetitionPrice, roundDown, roundUp, stakeOf, stepsWithin, unansweredGas } from './economics.ts';
import type { Amounts, MeteredGas } from './economics.ts';
import { ASSUMPTIONS, DEAREST_STEP, measuredGas, meteredGas, snapshot } from './measured-gas.ts';
import { parameterTable } from './parameter-table.ts';
import { dearestSteps } from './test/machine/dearest-step.ts';
import { WordMachineEvm } from './test/machine/word-machine-evm.ts';

const metered = meteredGas();
const measured = measuredGas();
const { bond, bounty, baseStake, stakePerGigastep, challengerFactor, gasPrice } = MAIN_PARAMETERS;

test('the committed parameters are those that the committed snapshots and the assumptions give', () => {
  expect(readFileSync(PARAMETERS_FILE, 'utf8')).toBe(parametersSource(amountsFor(metered, measured, ASSUMPTIONS)));
});

test('the constants of metered gas are at or a little above what is measured', () => {
  expect(meteringProblems(metered, measured)).toEqual([]);
  expect(meteringProblems({ ...metered, move: measured.move - 1n }, measured)).toEqual([expect.stringContaining('move: metered at')]);
  expect(meteringProblems({ ...metered, proof: 2n * measured.proof }, measured)).toEqual([expect.stringContaining('more than')]);
});

test('the dearest step that a search finds is the one of the snapshots', async () => {
  const [dearest] = await dearestSteps(await WordMachineEvm.create(), [0x16], new Random(1), 1);
  expect(dearest!.gas.toString()).toBe(snapshot('measured')[DEAREST_STEP]);
}, 30_000);

test('all conditions hold, and each is missed by amounts that break it', () => {
  const problems = (change: Partial<Amounts>): string[] => problemsOf({ ...MAIN_PARAMETERS, ...change }, metered, measured, ASSUMPTIONS);
  expect(problems({})).toEqual([]);
  expect(problemsOf(DEVNET_PARAMETERS, metered, measured, { ...ASSUMPTIONS, hashesPerSecond: DEVNET_PARAMETERS.stepsPerSecond })).toEqual([]);
  expect(problems({ baseStake: baseStake / 2n }).join()).toContain("more than the loser's stake");
  expect(problems({ bond: bond / 2n }).join()).toContain('falseAssertionPayingItself');
  expect(problems({ challengerFactor: 9n }).join()).toContain('shamChallenge');
  expect(problems({ bounty: bounty / 3n }).join()).toContain('challenge without an answer');
  expect(problems({ bounty: 5n * bounty }).join()).toContain('bounties, fewer than');
  expect(problems({ stepsPerSecond: 10n ** 7n }).join()).toContain('hash words');
});

/** Plays a game by the rules of docs/dispute.md with picks and carriers of a given pattern; gives the gas that each side's moves are metered at. */
function play(steps: bigint, choices: readonly boolean[], { opening, answer, move, proof, blobPick, ending }: MeteredGas): { asserter: bigint; challenger: bigint } {
  const gas = { asserter: ending, challenger: opening + ending };
  let length = steps;
  for (let turn = 0; ; turn += 1) {
    const mover = turn % 2 === 0 ? 'asserter' : 'challenger';
    const inBlob = choices[turn % choices.length]!;
    const segments = inBlob ? (length < 4096n ? length : 4096n) : length <= 32n ? length : 16n;
    length = choices[(turn + 3) % choices.length]! ? length / segments : (length + segments - 1n) / segments;
    gas[mover] += (length === 1n ? proof : turn === 0 ? answer : move) + (inBlob ? blobPick : 0n);
    if (length === 1n) return gas;
  }
}

test('no game meters more than the longest, whatever is picked and whatever carries the claims; so the stake covers it', () => {
  fc.assert(fc.property(fc.bigInt(1n, 1n << 48n), fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (steps, choices) => {
    const gas = play(steps, choices, metered);
    const stake = baseStake + (steps * stakePerGigastep) / 2n ** 30n;
    expect(gas.asserter).toBeLessThanOrEqual(longestGame(steps, 'asserter', metered));
    expect(gas.challenger).toBeLessThanOrEqual(longestGame(steps, 'challenger', metered));
    expect(gas.challenger * gasPrice).toBeLessThanOrEqual(stake);
    expect(gas.asserter * gasPrice).toBeLessThanOrEqual(stake * challengerFactor);
  }), { seed: 4, numRuns: 3000 });
  // By hand: 2^48 → 2^44 → … → 2^4 → 1, twelve splits. The opening, five moves, the proof and the ending are the challenger's; the last split may come in a blob.
  const allInCalldata = 180_000n + 5n * 62_000n + 245_000n + 150_000n;
  expect(longestGame(1n << 48n, 'challenger', metered)).toBeGreaterThanOrEqual(allInCalldata + 112_000n);
});

test('the ratios, computed anew from who loses and who locks what', () => {
  for (const bits of [0n, 20n, 30n, 36n, 40n]) {
    const stake = Number(stakeOf(MAIN_PARAMETERS, 1n << bits));
    const locked = 10 * stake;
    const halfBond = Number(bond) / 2;
    // Half of the bond in bounties to accomplices, or to nobody: the other half is burnt in any case.
    expect(halfBond / locked).toBeGreaterThanOrEqual(10);
    expect((halfBond + stake) / locked).toBeGreaterThanOrEqual(10);
    expect(Number(ratios(MAIN_PARAMETERS, 1n << bits).falseAssertionPayingItself) / 100).toBeCloseTo(halfBond / locked, 1);
  }
  const most = stepsWithin(MAIN_PARAMETERS);
  expect(most).toBeGreaterThanOrEqual(1n << 40n);
  expect(ratios(MAIN_PARAMETERS, most).falseAssertionPayingItself).toBeGreaterThanOrEqual(1000n);
  expect(ratios(MAIN_PARAMETERS, most + (1n << 36n)).falseAssertionPayingItself).toBeLessThan(1000n);
});

test('half of the bond pays at least 50 bounties and never more than half; a bounty pays for a challenge that nobody answers', () => {
  const bounties = bountiesOf(MAIN_PARAMETERS);
  expect(bounties).toBeGreaterThanOrEqual(50n);
  expect(bounties * bounty).toBeLessThanOrEqual(bond / 2n);
  expect(bounty).toBeGreaterThan(unansweredGas(measured) * gasPrice * 2n);
});

test('the price of running and hashing again, by hand', () => {
  // 2^30 steps at 100 a second and, a hash for ten steps, 10 hashes a second: 0.01 s and 0.01 s a step, 5,965.2 hours.
  const price = repetitionPrice({ ...ASSUMPTIONS, machineHour: 1000n, stepsPerSecond: 100n, hashesPerSecond: 10n, stepsPerHash: 10n });
  expect(price).toBe(5_965_232n);
});

test('rounding', () => {
  expect([1n, 99n, 100n, 101n, 12_345n].map(roundUp)).toEqual([1n, 99n, 100n, 110n, 13_000n]);
  expect([1n, 99n, 100n, 2_999n].map(roundDown)).toEqual([1n, 90n, 100n, 2_000n]);
});

test('docs/dispute.md has the parameters as they are', () => {
  expect(readFileSync(new URL('../docs/dispute.md', import.meta.url), 'utf8')).toContain(parameterTable());
});
