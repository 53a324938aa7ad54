import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { smallContestant } from '../../test/disputes/contestants.ts';
import { openArena } from './arena.ts';
import type { Arena } from './arena.ts';
import { playMatch } from './match.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.close());

const cases = [
  { name: 'both with blobs, the asserter lies', liar: 'asserter', claims: 'blob' },
  { name: 'both with blobs, the challenger lies', liar: 'challenger', claims: 'blob' },
  { name: 'blobs against calldata, the asserter lies', liar: 'asserter', claims: { asserter: 'calldata', challenger: 'blob' } },
  { name: 'calldata against blobs, the challenger lies', liar: 'challenger', claims: { asserter: 'blob', challenger: 'calldata' } },
] as const;

test.each(cases)('$name: the honest side wins, in transactions that carry what they say', async ({ liar, claims }) => {
  const { model, input } = smallContestant();
  const [prepared, contract] = [await createWasmExecutor().prepare(model), await arena.register(encodeModel(model))];
  const { winner, honest, moves, levels } = await playMatch(arena, { prepared, contract, input: input(3), liar, claims, seed: 5n });
  expect(winner).toBe(honest);
  for (const { kind, by, blobs } of moves) {
    const splits = kind === 'challenge' || kind === 'answer' || kind === 'move';
    expect(blobs).toBe(splits && (typeof claims === 'string' ? claims : claims[by]) === 'blob' ? 1 : 0);
  }
  expect(moves.filter(({ blobs }) => blobs > 0).length).toBeGreaterThan(0);
  if (claims === 'blob') expect(levels).toBe(2);
}, 60_000);
