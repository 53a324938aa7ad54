import fc from 'fast-check';
import { concat, hexToBytes, keccak256, numberToHex, pad, size, slice } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { blobOf, blobOpening, elementPoint, statesOfBlob, versionedHash } from './blob-claims.ts';
import { claimsOpening, claimsRoot } from './claims.ts';
import { arityOf, nextAction, NothingToDisputeError, openingMove } from './player.ts';
import type { Carrier, ClaimedSplit, GameView, PlayOptions, Role, SplitClaims, StateSource } from './player.ts';
import { kzg } from '../../rollup-node/kzg.ts';
import { BLOB_ARITY, CALLDATA_ARITY, calldataArity, levels, segmentAt, segmentCount, splitBounds } from './split.ts';
import type { Arity } from './split.ts';

/** Like the machine's, its states have 248 bits. */
const step = (state: Hex): Hex => pad(slice(keccak256(state), 1), { size: 32 });
const initial = pad('0x01', { size: 32 });

/** A fake machine whose step hashes its state; the liar's states differ after step `fault`. */
function source(steps: number, fault: number | null): StateSource {
  const states: Hex[] = [initial];
  for (let index = 0; index < steps; index += 1) {
    const next = step(states[index] as Hex);
    states.push(index === fault ? step(pad(slice(next, 2), { size: 32 })) : next);
  }
  return {
    stateAt: async (indices) => indices.map((index) => states[Number(index)] as Hex),
    proofAt: async (index) => states[Number(index)] as Hex,
    finalOpening: async () => states.at(-1) as Hex,
  };
}

/** A referee that keeps the contract's rules in the plainest way. */
async function play(steps: number, sources: Record<Role, StateSource>, carriers: readonly Carrier[], arity: Arity): Promise<{ winner: Role; moves: number; step: bigint }> {
  const optionsOf = (move: number): PlayOptions => ({ arity, carrier: carriers[move % carriers.length]!, kzg });
  const claimed = (start: bigint, length: bigint, first: Hex, { inner, end, blob }: SplitClaims): ClaimedSplit => {
    const carrier = blob === undefined ? 'calldata' : 'blob';
    const count = segmentCount(length, arityOf(carrier, { arity }));
    if (blob === undefined) expect(inner).toHaveLength(count - 1);
    return { start, length, carrier, states: blob === undefined ? [first, ...inner, end] : statesOfBlob(first, blob, end, count) };
  };
  const opened = await openingMove(BigInt(steps), sources.challenger, optionsOf(0));
  expect(opened.opening).toBe(opened.split.end);
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', split: claimed(0n, BigInt(steps), initial, opened.split) };
  for (let moves = 1; moves < 100; moves += 1) {
    const mover = view.turn;
    const other = mover === 'asserter' ? 'challenger' : 'asserter';
    const { split } = view;
    const action = await nextAction(view, mover, sources[mover], optionsOf(moves));
    if (action === null) throw new Error('the party to move has no action');
    const { pick } = action;
    const index = Number(pick.segment);
    const segment = segmentAt(split, index, arityOf(split.carrier, { arity }));
    expect(pick.steps).toBe(split.length);
    expect(pick.start).toBe(split.states[index]);
    expect(pick.end).toBe(split.states[index + 1]);
    expect(pick.opening).toBe(split.carrier === 'calldata' ? claimsOpening(split.states, index, arity) : blobOpening(split.states, index, kzg));
    if (action.kind === 'prove') {
      expect(segment.length).toBe(1n);
      return { winner: step(pick.start) === pick.end ? other : mover, moves, step: segment.start };
    }
    expect(action.kind).toBe(moves === 1 ? 'answer' : 'move');
    expect(segment.length).toBeGreaterThan(1n);
    expect(action.split.end).not.toBe(pick.end);
    view = { status: 'awaiting-move', turn: other, split: claimed(segment.start, segment.length, pick.start, action.split) };
  }
  throw new Error('the game did not end');
}

describe('split', () => {
  test('bounds follow the formula, and segments tile the split', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 48n }), fc.bigInt({ min: 1n, max: 2n ** 48n }), fc.constantFrom(...[2, 4, 16, 64].map(calldataArity), BLOB_ARITY), (start, length, arity) => {
        const bounds = splitBounds({ start, length }, arity);
        expect(bounds[0]).toBe(start);
        expect(bounds.at(-1)).toBe(start + length);
        bounds.slice(1).forEach((bound, index) => expect(segmentAt({ start, length }, index, arity)).toEqual({ start: bounds[index], length: bound - (bounds[index] as bigint) }));
        expect(bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] as bigint))).toBe(true);
      }),
      { seed: 1, numRuns: 100 },
    );
    expect(splitBounds({ start: 5n, length: 33n }, CALLDATA_ARITY).slice(0, 4)).toEqual([5n, 7n, 9n, 11n]);
    expect(splitBounds({ start: 5n, length: 32n }, CALLDATA_ARITY)).toHaveLength(33);
    for (const index of [-1, 16, 1.5]) expect(() => segmentAt({ start: 0n, length: 100n }, index, CALLDATA_ARITY)).toThrow(RangeError);
  });

  test('levels: a factor of sixteen each and thirty-two at the end, or of 4,096', () => {
    expect([1n, 32n, 33n, 512n, 513n, 2n ** 30n, 2n ** 40n, 2n ** 41n].map((steps) => levels(steps))).toEqual([1, 1, 2, 2, 3, 8, 10, 10]);
    expect([1n, 4096n, 4097n, 2n ** 30n, 2n ** 40n, 2n ** 48n].map((steps) => levels(steps, BLOB_ARITY))).toEqual([1, 1, 2, 3, 4, 4]);
  });
});

describe('claims in calldata', () => {
  test.each([[2, 2, 1], [2, 4, 1], [4, 7, 2], [16, 16, 4], [16, 23, 4], [16, 3, 4], [64, 128, 8], [32, 32, 4]])('an opening leads to the root: arity %i, %i segments in blocks of %i', (usual, segments, block) => {
    const states = Array.from({ length: segments + 1 }, (_, index) => numberToHex(index + 1, { size: 32 }));
    for (let index = 0; index < segments; index += 1) {
      const words = claimsOpening(states, index, calldataArity(usual)).slice(2).match(/.{64}/g) ?? [];
      const own = words.splice(0, Math.min(block, segments - (index - (index % block))) - 1);
      own.splice(index % block, 0, ...states.slice(index, index + 2).map((state) => state.slice(2)));
      words.splice(Math.floor(index / block), 0, keccak256(`0x${own.join('')}`).slice(2));
      expect(keccak256(`0x${words.join('')}00`)).toBe(claimsRoot(states, calldataArity(usual)));
    }
  });

  test('the root of known states', () => {
    const [a, b, c, d, e, f] = Array.from({ length: 6 }, (_, index) => numberToHex(index + 1, { size: 32 }));
    expect(claimsRoot([a!, b!, c!, d!, e!, f!], CALLDATA_ARITY)).toBe(keccak256(concat([keccak256(concat([a!, b!, c!, d!, e!])), keccak256(concat([e!, f!])), '0x00'])));
  });
});

describe('claims in a blob', () => {
  const states = Array.from({ length: 4097 }, (_, index) => pad(numberToHex(index * index + 7), { size: 32 }));
  const blob = blobOf(states);
  const commitment = kzg.blobToKzgCommitment(blob);

  test('the library evaluates the blob to a state at the state\'s point', () => {
    for (const bound of [1, 2, 3, 1000, 2048, 4095]) {
      const [proof, value] = kzg.computeKzgProof(blob, elementPoint(bound - 1));
      expect(BigInt(`0x${Buffer.from(value!).toString('hex')}`)).toBe(BigInt(states[bound]!));
      expect(kzg.verifyKzgProof(commitment, elementPoint(bound - 1), hexToBytes(states[bound]!), proof!)).toBe(true);
      expect(kzg.verifyKzgProof(commitment, elementPoint(bound), hexToBytes(states[bound]!), proof!)).toBe(false);
    }
  });

  test('an opening has 240 bytes, and zeros for ends that are not in the blob', () => {
    const zeros: Hex = `0x${'00'.repeat(48)}`;
    for (const [index, startIsZero, endIsZero] of [[0, true, false], [17, false, false], [4095, false, true]] as const) {
      const opening = blobOpening(states, index, kzg);
      expect(size(opening)).toBe(240);
      expect(slice(opening, 0, 96)).toBe(concat([states[0]!, versionedHash(commitment), states[4096]!]));
      expect(slice(opening, 144, 192) === zeros).toBe(startIsZero);
      expect(slice(opening, 192, 240) === zeros).toBe(endIsZero);
    }
  });

  test('claims open although their author filled the elements behind them', () => {
    const filled = blob.slice();
    filled.fill(1, 4095 * 32);
    const opening = blobOpening(states, 17, kzg, filled);
    const its = kzg.blobToKzgCommitment(filled);
    expect(slice(opening, 32, 64)).toBe(versionedHash(its));
    expect(kzg.verifyKzgProof(its, elementPoint(16), hexToBytes(states[17]!), hexToBytes(slice(opening, 144, 192)))).toBe(true);
    expect(kzg.verifyKzgProof(its, elementPoint(17), hexToBytes(states[18]!), hexToBytes(slice(opening, 192, 240)))).toBe(true);
    expect(slice(blobOpening(states, 17, kzg), 32, 64)).not.toBe(versionedHash(its));
  });

  test('the states come back, and what does not fit is refused', () => {
    expect(statesOfBlob(states[0]!, blob, states[4096]!, 4096)).toEqual(states);
    expect(() => blobOf([...states, initial])).toThrow(RangeError);
    expect(() => blobOf([initial, `0x${'ff'.repeat(32)}`, initial])).toThrow(/no field element/);
  });
});

describe('player', () => {
  test('the honest side wins, at the faulty step, whichever side lies and whatever carries the claims', async () => {
    const carriers = fc.array(fc.constantFrom<Carrier>('calldata', 'calldata', 'calldata', 'blob'), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6000 }), fc.nat(), fc.boolean(), carriers, fc.constantFrom(...[2, 4, 16].map(calldataArity)), async (steps, where, asserterLies, carried, arity) => {
        const fault = where % steps;
        const honest = source(steps, null);
        const liar = source(steps, fault);
        const result = await play(steps, asserterLies ? { asserter: liar, challenger: honest } : { asserter: honest, challenger: liar }, carried, arity);
        expect(result.winner).toBe(asserterLies ? 'challenger' : 'asserter');
        expect(result.step).toBe(BigInt(fault));
      }),
      { seed: 2, numRuns: 30 },
    );
  }, 60_000);

  const split = async (): Promise<ClaimedSplit> => ({ start: 0n, length: 4n, carrier: 'calldata', states: await source(4, null).stateAt([0n, 1n, 2n, 3n, 4n]) });

  test('waits when it is not its turn', async () => {
    const view: GameView = { status: 'awaiting-answer', turn: 'asserter', split: await split() };
    expect(await nextAction(view, 'challenger', source(4, 1))).toBeNull();
    expect(await nextAction({ ...view, status: 'settled' }, 'asserter', source(4, 1))).toBeNull();
  });

  test('says so when it has nothing to dispute', async () => {
    const view: GameView = { status: 'awaiting-move', turn: 'challenger', split: await split() };
    await expect(nextAction(view, 'challenger', source(4, null))).rejects.toThrow(NothingToDisputeError);
  });

  test('says what is missing to answer claims in a blob', async () => {
    const view: GameView = { status: 'awaiting-move', turn: 'challenger', split: { ...(await split()), carrier: 'blob' } };
    await expect(nextAction(view, 'challenger', source(4, 1))).rejects.toThrow(/node-eth-kzg/);
  });
});
