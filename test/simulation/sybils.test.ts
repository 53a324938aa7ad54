import { expect, test } from 'vitest';
import { attack, KINDS } from './sybils.ts';
import type { Result } from './sybils.ts';
import { plotSybils } from './plot.ts';

const BLOCK_GAS = 60_000_000n;
/** A day's window, 1 s of steps; and two clocks of a day and ⌈1.5⌉ s. */
const LATEST = 86_400 + 1 + 2 * (86_400 + 2);
/** ETH: 0.011, and 0.0000011 for 2^30 steps. */
const STAKE = 0.011 + (0.0000011 * 1_502_441) / 2 ** 30;

const results: Result[] = [];

// `attack` throws when an honest party loses a game or wei, when an instance comes out wrong, and when the contracts owe more than they hold.
test.each(KINDS)('%s by 1 and 10 Sybils: the delay keeps to the closed form, and does not grow', async (kind) => {
  const [one, ten] = [await attack(kind, 1, BLOCK_GAS), await attack(kind, 10, BLOCK_GAS)];
  results.push(one, ten);
  for (const { delay, recorded, honestGain } of [one, ten]) {
    expect(delay).toBeLessThanOrEqual(LATEST);
    expect(recorded - delay).toBeLessThanOrEqual(24);
    expect(honestGain).toBeGreaterThanOrEqual(0);
  }
  expect(ten.delay).toBeLessThanOrEqual(one.delay);
  expect(ten.honestGas).toBeLessThanOrEqual(10 * one.honestGas);
}, 60_000);

test('what a Sybil makes the honest party lock, by hand', () => {
  const stakes = (kind: string, sybils: number): number => results.find((result) => result.kind === kind && result.sybils === sybils)!.honestStakes;
  for (const sybils of [1, 10]) {
    expect(stakes('false-challenges', sybils)).toBeCloseTo(sybils * STAKE, 9);
    expect(stakes('false-assertions', sybils)).toBeCloseTo(sybils * 10 * STAKE, 9);
    expect(stakes('sham-games', sybils)).toBeCloseTo(10 * STAKE, 9);
    expect(stakes('truth-sponsored-to-lose', sybils)).toBe(0);
  }
});

test('a block with less room delays what is recorded, not what is certain', async () => {
  const [roomy, tight] = [await attack('false-challenges', 10, BLOCK_GAS), await attack('false-challenges', 10, 2_000_000n)];
  expect(tight.delay).toBe(roomy.delay);
  await expect(attack('false-challenges', 10, 1_000_000n)).rejects.toThrow('a block has 1000000');
  expect(tight.games).toBe(10);
}, 60_000);

test('the figure has a line for every kind in every panel that it has figures for', () => {
  const figure = plotSybils(results);
  expect(figure.match(/<polyline [^>]*stroke-width/g)).toHaveLength(6 * KINDS.length);
  expect(figure).not.toContain('NaN');
  expect(figure).not.toContain('Infinity');
});
