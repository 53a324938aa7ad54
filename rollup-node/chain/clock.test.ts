import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertion, dispute } from '../testing/records.ts';
import { assertionPhase, disputePhase, isOver } from './clock.ts';

describe('disputePhase', () => {
  const running = dispute(0, { turnStartedAt: 50n, asserterRemaining: 100n, challengerRemaining: 7n });

  test.each([
    ['asserter-to-answer', 149n, 'asserter-to-answer'],
    ['asserter-to-answer', 150n, 'challenger-won'],
    ['asserter-to-move', 149n, 'asserter-to-move'],
    ['asserter-to-move', 150n, 'challenger-won'],
    ['challenger-to-move', 56n, 'challenger-to-move'],
    ['challenger-to-move', 57n, 'asserter-won'],
    ['asserter-won', 10n ** 9n, 'asserter-won'],
    ['challenger-won', 10n ** 9n, 'challenger-won'],
  ] as const)('%s at %i: %s', (phase, time, expected) => {
    expect(disputePhase({ ...running, phase }, time)).toBe(expected);
  });

  test('once over it stays over, and some party has the turn until then', () => {
    fc.assert(fc.property(fc.constantFrom('asserter-to-answer', 'asserter-to-move', 'challenger-to-move'), fc.bigInt({ min: 50n, max: 300n }), fc.bigInt({ min: 0n, max: 300n }), (phase, time, more) => {
      const first = disputePhase({ ...running, phase }, time);
      if (isOver(first)) expect(disputePhase({ ...running, phase }, time + more)).toBe(first);
      else expect(first).toBe(phase);
    }), { seed: 3 });
  });
});

test.each([
  [{}, 99n, 'challengeable'],
  [{}, 100n, 'final'],
  [{ openGames: 1 }, 99n, 'challengeable'],
  [{ openGames: 1 }, 100n, 'disputed'],
  [{ defeated: true, openGames: 1 }, 0n, 'defeated'],
  [{ defeated: true }, 10n ** 9n, 'defeated'],
] as const)('assertionPhase of %o at %i: %s', (changes, time, expected) => {
  expect(assertionPhase(assertion(0, [0], changes), time)).toBe(expected);
});
