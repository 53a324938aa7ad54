import fc from 'fast-check';
import { keccak256, numberToHex, pad } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { claimsPath, claimsRoot } from './claims.ts';
import { nextAction, NothingToDisputeError } from './player.ts';
import type { GameView, Role, StateSource } from './player.ts';
import { ARITY, levels, segmentAt, segmentCount, splitBounds } from './split.ts';

const step = (state: Hex): Hex => keccak256(state);
const initial = pad('0x01', { size: 32 });

/** A fake machine whose step hashes its state; the liar's states differ after step `fault`. */
function source(steps: number, fault: number | null): StateSource {
  const states: Hex[] = [initial];
  for (let index = 0; index < steps; index += 1) {
    const next = step(states[index] as Hex);
    states.push(index === fault ? keccak256(next) : next);
  }
  return {
    stateAt: async (indices) => indices.map((index) => states[Number(index)] as Hex),
    proofAt: async (index) => states[Number(index)] as Hex,
    finalOpening: async () => states.at(-1) as Hex,
  };
}

/** A referee that keeps the contract's rules in the plainest way. */
async function play(steps: number, sources: Record<Role, StateSource>): Promise<{ winner: Role; moves: number; step: bigint }> {
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', steps: BigInt(steps), split: null };
  for (let moves = 1; moves < 100; moves += 1) {
    const mover = view.turn;
    const other = mover === 'asserter' ? 'challenger' : 'asserter';
    const action = await nextAction(view, mover, sources[mover]);
    if (action === null) throw new Error('the party to move has no action');
    if (action.kind === 'answer') {
      const states = [initial, ...action.states, action.finalState];
      view = { ...view, status: 'awaiting-move', turn: other, split: { start: 0n, length: BigInt(steps), states } };
      continue;
    }
    const split = view.split as NonNullable<GameView['split']>;
    const segment = segmentAt(split, action.segment);
    expect(action.start).toBe(split.states[action.segment]);
    expect(action.end).toBe(split.states[action.segment + 1]);
    if (action.kind === 'prove') {
      expect(segment.length).toBe(1n);
      return { winner: step(action.start) === action.end ? other : mover, moves, step: segment.start };
    }
    expect(segment.length).toBeGreaterThan(1n);
    expect(action.states).toHaveLength(segmentCount(segment.length));
    expect(action.states.at(-1)).not.toBe(action.end);
    view = { ...view, turn: other, split: { ...segment, states: [action.start, ...action.states] } };
  }
  throw new Error('the game did not end');
}

describe('split', () => {
  test('bounds follow the formula, and segments tile the split', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 48n }), fc.bigInt({ min: 1n, max: 2n ** 48n }), (start, length) => {
        const bounds = splitBounds({ start, length });
        expect(bounds[0]).toBe(start);
        expect(bounds.at(-1)).toBe(start + length);
        bounds.slice(1).forEach((bound, index) => expect(segmentAt({ start, length }, index)).toEqual({ start: bounds[index], length: bound - (bounds[index] as bigint) }));
        expect(bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] as bigint))).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
    expect(splitBounds({ start: 5n, length: 17n }).slice(0, 4)).toEqual([5n, 6n, 7n, 8n]);
  });

  test('levels: a factor of sixteen each', () => {
    expect([1n, 16n, 17n, 256n, 257n, 2n ** 30n, 2n ** 40n].map(levels)).toEqual([1, 1, 2, 2, 3, 8, 10]);
  });
});

describe('claims', () => {
  test('a path leads from the pair to the root', () => {
    const states = Array.from({ length: ARITY + 1 }, (_, index) => numberToHex(index + 1, { size: 32 }));
    for (let index = 0; index < ARITY; index += 1) {
      let node = keccak256(`0x${(states[index] as Hex).slice(2)}${(states[index + 1] as Hex).slice(2)}`);
      claimsPath(states, index).forEach((sibling, height) => {
        const pair = (index >> height) & 1 ? [sibling, node] : [node, sibling];
        node = keccak256(`0x${(pair[0] as Hex).slice(2)}${(pair[1] as Hex).slice(2)}`);
      });
      expect(node).toBe(claimsRoot(states));
    }
  });
});

describe('player', () => {
  test('the honest side wins, at the faulty step, whichever side lies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1200 }), fc.nat(), fc.boolean(), async (steps, where, asserterLies) => {
        const fault = where % steps;
        const honest = source(steps, null);
        const liar = source(steps, fault);
        const result = await play(steps, asserterLies ? { asserter: liar, challenger: honest } : { asserter: honest, challenger: liar });
        expect(result.winner).toBe(asserterLies ? 'challenger' : 'asserter');
        expect(result.step).toBe(BigInt(fault));
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  test('waits when it is not its turn', async () => {
    const view: GameView = { status: 'awaiting-answer', turn: 'asserter', steps: 4n, split: null };
    expect(await nextAction(view, 'challenger', source(4, null))).toBeNull();
    expect(await nextAction({ ...view, status: 'settled' }, 'asserter', source(4, null))).toBeNull();
  });

  test('says so when it has nothing to dispute', async () => {
    const honest = source(4, null);
    const states = await honest.stateAt([0n, 1n, 2n, 3n, 4n]);
    const view: GameView = { status: 'awaiting-move', turn: 'challenger', steps: 4n, split: { start: 0n, length: 4n, states } };
    await expect(nextAction(view, 'challenger', honest)).rejects.toThrow(NothingToDisputeError);
  });
});
