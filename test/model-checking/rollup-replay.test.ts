import { expect, it } from 'vitest';
import { walkRollup } from './rollup-walks.ts';
import type { RollupWalkCount } from './rollup-walks.ts';

it('the model of assertions and the contracts agree on walks by chance: phases, credits, balances, and what is illegal', async () => {
  const count: RollupWalkCount = { legal: 0, illegal: 0, kinds: new Set() };
  for (let seed = 1; seed <= 2; seed += 1) await walkRollup(seed * 7919, 45, count);
  expect(count.legal).toBeGreaterThan(50);
  expect(count.illegal).toBeGreaterThan(10);
  expect([...count.kinds].sort()).toEqual(['answer', 'assert', 'challenge', 'claimFee', 'confirm', 'deliver', 'prove', 'refund', 'settle', 'tick', 'withdrawBond']);
});
