import { concat, hexToBytes, slice, zeroHash } from 'viem';
import { BLOB_BYTES } from '../../fraud-proof/dispute/blob-claims.ts';
import type { Adversary } from './adversary.ts';

const BOTH = ['asserter', 'challenger'] as const;
const blob = { roles: BOTH, blobs: true, costly: true } as const;
const ELEMENT = 32;

/** Claims in blobs that are garbage, of the wrong number, or opened wrongly. */
export const BLOBS: readonly Adversary[] = [
  { name: 'puts its claims into blobs', ...blob, carrier: 'blob' },
  { name: 'puts its claims into blobs, against blobs', ...blob, carrier: 'blob', honestCarrier: 'blob' },
  { name: 'answers blobs with calldata', ...blob, honestCarrier: 'blob' },
  {
    name: 'fills the rest of a blob', ...blob, carrier: 'blob',
    turn: async ({ scene, usual, play }) => {
      const action = await usual();
      if (action === null) return;
      if (action.kind !== 'prove' && action.split.blob !== undefined) {
        const used = Math.min(4095, Number(action.pick.steps));
        const filled = action.split.blob.slice();
        for (let at = used * ELEMENT; at < BLOB_BYTES; at += ELEMENT) filled.set(hexToBytes(scene.random.state()), at);
        await play({ ...action, split: { ...action.split, blob: filled } });
      } else await play(action);
    },
  },
  {
    name: 'sends a blob of garbage', ...blob, carrier: 'blob',
    turn: async ({ scene: { random }, usual, play }) => {
      const action = await usual();
      if (action === null) return;
      if (action.kind === 'prove' || action.split.blob === undefined) return void (await play(action));
      const garbage = new Uint8Array(BLOB_BYTES);
      // Numbers that no state has, too.
      for (let at = 0; at < BLOB_BYTES; at += ELEMENT) garbage.set(hexToBytes(random.word()).fill(0x41, 0, 1), at);
      await play({ ...action, split: { ...action.split, blob: garbage } });
    },
  },
  {
    name: 'names blobs that are not there', ...blob, carrier: 'blob',
    turn: async ({ scene, game, role, usual, play }) => {
      const action = await usual();
      if (action === null) return;
      if (action.kind !== 'prove') {
        const transaction = { from: game.terms[role], ...scene.transactionOf(game, action) };
        // The number is the only word that is 1 in the split: without the blob, it names nothing.
        const { blobs: _, ...without } = transaction;
        await scene.sendJunk(without);
        const plain = await scene.actionOf(game, { source: scene.asked.inference.splicedLie(game.split.start, scene.random).source, output: zeroHash });
        if (plain !== null && plain.kind !== 'prove' && action.split.blob !== undefined) {
          // States in calldata, and a blob beside them.
          await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, { ...plain, split: { ...plain.split, inner: plain.split.inner.length > 0 ? plain.split.inner : [zeroHash], blob: action.split.blob } }) });
        }
      }
      await play(action);
    },
  },
  {
    name: 'opens blobs wrongly', ...blob, honestCarrier: 'blob',
    turn: async ({ scene, game, role, usual, play }) => {
      const action = await usual();
      if (action === null) return;
      const { opening } = action.pick;
      if (game.split.carrier === 'blob') {
        const wrong = [
          concat([slice(opening, 0, 144), slice(opening, 192, 240), slice(opening, 144, 192)]), concat([slice(opening, 0, 96), slice(opening, 144, 192), slice(opening, 144)]),
          concat([scene.random.word(), slice(opening, 32)]), concat([slice(opening, 0, 32), scene.random.word(), slice(opening, 64)]), slice(opening, 0, 160), concat([opening, '0x00']),
        ];
        for (const other of wrong) if (other !== opening) await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, { ...action, pick: { ...action.pick, opening: other } }) });
        for (const pick of [{ start: scene.random.state() }, { end: scene.random.state() }, { segment: (action.pick.segment + 1n) % 4096n }]) {
          await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, { ...action, pick: { ...action.pick, ...pick } }) });
        }
      }
      await play(action);
    },
  },
];
