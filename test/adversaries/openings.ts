import { concat, concatHex, keccak256, size, slice, zeroHash } from 'viem';
import type { Hex } from 'viem';
import type { Action, Pick } from '../../fraud-proof/dispute/player.ts';
import { CALLDATA_ARITY } from '../../fraud-proof/dispute/split.ts';
import type { Adversary, Turn } from './adversary.ts';
import { pickOf, segmentsOf } from './moves.ts';
import { blockSegments, claimsOpening } from '../../fraud-proof/dispute/claims.ts';

const BOTH = ['asserter', 'challenger'] as const;

/** Tries actions that have to be refused, then plays on. */
const refused = (name: string, wrong: (turn: Turn, action: Action) => readonly Action[] | Promise<readonly Action[]>): Adversary => ({
  name, roles: BOTH,
  turn: async (turn) => {
    const { scene, game, role } = turn;
    const action = await turn.usual();
    if (action === null) return;
    for (const other of await wrong(turn, action)) await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, other) });
    await turn.play(action);
  },
});

const picking = (action: Action, pick: Partial<Pick>): Action => ({ ...action, pick: { ...action.pick, ...pick } });

function wrongPicks({ scene: { random }, game }: Turn, action: Action): Action[] {
  const { pick } = action;
  const count = BigInt(segmentsOf(game));
  const length = size(pick.opening);
  const words = Array.from({ length: length / 32 }, (_, index) => slice(pick.opening, 32 * index, 32 * (index + 1)));
  return [
    picking(action, { segment: (pick.segment + 1n) % 32n }), picking(action, { segment: count }), picking(action, { segment: pick.segment + 32n }), picking(action, { segment: 2n ** 256n - 1n }),
    picking(action, { start: random.state() }), picking(action, { end: random.state() }), picking(action, { start: pick.end, end: pick.start }),
    picking(action, { opening: '0x' }), picking(action, { opening: concatHex(words.slice(1)) }), picking(action, { opening: slice(pick.opening, 0, Math.max(0, length - 1)) }),
    picking(action, { opening: concat([pick.opening, '0x00']) }), picking(action, { opening: concat([pick.opening, zeroHash]) }),
    picking(action, { opening: concatHex([...words].reverse()) }), picking(action, { opening: concat([random.word(), ...words.slice(1)]) }),
  ].filter((other) => !isRight(game.split.states, other.pick));
}

/** Where states repeat, as in a halted tail, another place may hold the same claims, and its opening is none to refuse. */
const isRight = (states: readonly Hex[], { segment, start, end, opening }: Pick): boolean =>
  segment < BigInt(states.length - 1) && states[Number(segment)] === start && states[Number(segment) + 1] === end && claimsOpening(states, Number(segment), CALLDATA_ARITY) === opening;

/** Two blocks' hashes in the place of two states, with what else the root is a hash of. */
function blocksAsStates({ game, scene: { random } }: Turn, action: Action): Action[] {
  const { states } = game.split;
  const size = blockSegments(CALLDATA_ARITY);
  const hashes = Array.from({ length: Math.ceil(segmentsOf(game) / size) }, (_, block) => keccak256(concat(states.slice(block * size, (block + 1) * size + 1))));
  const pair = random.below(Math.max(1, hashes.length - 1));
  const [left, right] = [hashes[pair]!, hashes[pair + 1] ?? zeroHash];
  const others = concatHex(hashes.filter((_, block) => block !== pair && block !== pair + 1));
  return [others, concat([others, zeroHash]), concat([zeroHash, others]), concat([others, ...Array.from({ length: size }, () => zeroHash)])].flatMap((opening) =>
    [BigInt(pair), BigInt(pair * size)].map((segment) => picking(action, { segment, start: left, end: right, opening })));
}

/** A segment past the last: nothing has been claimed there. */
const missingSegment = ({ game }: Turn, action: Action): Action[] => {
  const count = segmentsOf(game);
  return [zeroHash, game.split.states.at(-1) as Hex].map((start) => picking(action, { segment: BigInt(count), start, end: zeroHash, opening: claimsOpening(game.split.states, count, CALLDATA_ARITY) }));
};

async function wrongProofs({ scene: { truth, random, asked: { inference } }, game }: Turn, action: Action): Promise<Action[]> {
  if (action.kind !== 'prove') {
    // A proof where a move is due.
    return [{ kind: 'prove', pick: action.pick, proof: await truth.source.proofAt(game.split.start), step: game.split.start }];
  }
  const { proof } = action;
  const bytes = size(proof);
  const at = random.below(bytes);
  const flipped = concat([slice(proof, 0, at), slice(random.word(), 0, 1), ...(at + 1 < bytes ? [slice(proof, at + 1)] : [])]);
  const other = await truth.source.proofAt((action.step + 1n + random.big(inference.trace.finishedAfter - 1n)) % inference.trace.finishedAfter);
  const wrong: Hex[] = ['0x', slice(proof, 0, bytes - 32), slice(proof, 0, bytes - 1), slice(proof, 32), concat([proof, '0x00']), concat([proof, zeroHash]), concat([proof, proof])];
  if (other !== proof) wrong.push(other);
  if (flipped !== proof) wrong.push(flipped);
  return wrong.map((changed) => ({ ...action, proof: changed }));
}

function wrongSplits({ scene: { random }, game }: Turn, action: Action): Action[] {
  if (action.kind === 'prove') return [];
  const { split } = action;
  const changed = [
    { ...split, end: action.pick.end }, { ...split, inner: split.inner.slice(1) }, { ...split, inner: [...split.inner, random.state()] }, { ...split, inner: [] },
    { ...split, inner: Array.from({ length: 300 }, () => random.state()) },
  ].filter(({ inner, end }) => end === action.pick.end || inner.length !== split.inner.length);
  return [...changed.map((other) => ({ ...action, split: other })), { ...action, kind: game.moves === 0 ? 'move' as const : 'answer' as const }];
}

/** Claims and proofs that are opened wrongly. */
export const OPENINGS: readonly Adversary[] = [
  refused('opens claims wrongly', wrongPicks),
  refused('presents a node as a leaf', blocksAsStates),
  refused('opens what was not claimed', missingSegment),
  refused('truncates, extends and swaps proofs', wrongProofs),
  refused('splits wrongly', wrongSplits),
  refused('proves without a dispute', ({ game, scene }) => {
    const segment = scene.random.below(segmentsOf(game));
    return [{ kind: 'prove', pick: { ...pickOf(game, segment), steps: 1n }, proof: '0x', step: 0n }];
  }),
];
