import { concat, hexToBytes, bytesToHex, numberToHex, size, slice } from 'viem';
import type { Hex } from 'viem';
import type { Adversary, Turn } from './adversary.ts';
import { Broken } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;
const TRIES = 6;
/** Words of `GameTerms` that have less than 256 bits, behind the selector: addresses, steps, allowance, stakes. */
const NARROW_TERMS = [0, 1, 2, 5, 6, 7, 8];

/** Sends the usual action in another encoding: it may be refused, or it means the same. */
const encoded = (name: string, change: (turn: Turn, data: Hex) => Hex): Adversary => ({
  name, roles: BOTH,
  turn: async (turn) => {
    const { scene, game, role } = turn;
    const action = await turn.usual();
    if (action === null) return;
    const transaction = { from: game.terms[role], ...scene.transactionOf(game, action) };
    const before = game.moves;
    for (let tried = 0; tried < TRIES && game.moves === before && game.winner === undefined; tried += 1) {
      await scene.send({ ...transaction, data: change(turn, transaction.data) }, game);
    }
    if (game.moves === before && game.winner === undefined) await turn.playUsual();
  },
});

const wordAt = (data: Hex, index: number): Hex => slice(data, 4 + 32 * index, 36 + 32 * index);
const withWord = (data: Hex, index: number, word: Hex): Hex =>
  concat([slice(data, 0, 4 + 32 * index), word, ...(size(data) > 36 + 32 * index ? [slice(data, 36 + 32 * index)] : [])]);
const wordsIn = (data: Hex): number => Math.floor((size(data) - 4) / 32);

const shifted = ({ scene: { random } }: Turn, data: Hex): Hex => {
  const index = random.below(wordsIn(data));
  const by = random.one([32n, 64n, 1n, 2n ** 255n, 2n ** 256n - 32n]);
  return withWord(data, index, numberToHex((BigInt(wordAt(data, index)) + by) % 2n ** 256n, { size: 32 }));
};

const flipped = ({ scene: { random } }: Turn, data: Hex): Hex => {
  const bytes = hexToBytes(data);
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytesToHex(bytes);
};

/** Whole arguments moved behind others, with offsets that say so. */
function moved(_: Turn, data: Hex): Hex {
  const words = wordsIn(data);
  const offsets = Array.from({ length: words }, (__, index) => index).filter((index) => BigInt(wordAt(data, index)) % 32n === 0n && BigInt(wordAt(data, index)) > 0n && BigInt(wordAt(data, index)) < BigInt(32 * words));
  // The last argument is dynamic in all of them: copy it to the end, word by word, and point there.
  const last = offsets.filter((index) => index < 16).at(-1);
  if (last === undefined) return data;
  const start = Number(BigInt(wordAt(data, last)));
  return concat([withWord(data, last, numberToHex(size(data) - 4, { size: 32 })), slice(data, 4 + start)]);
}

/** The same call in other bytes. */
export const ENCODINGS: readonly Adversary[] = [
  encoded('appends bytes to its calls', ({ scene: { random } }, data) => concat([data, ...Array.from({ length: 1 + random.below(4) }, () => random.word())])),
  encoded('truncates its calls', ({ scene: { random } }, data) => slice(data, 0, 1 + random.below(size(data) - 1))),
  encoded('shifts words of its calls', shifted),
  encoded('flips bits of its calls', flipped),
  encoded('moves arguments behind others', moved),
  {
    name: 'sets the unused bits of arguments', roles: BOTH,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const action = await turn.usual();
      if (action === null) return;
      const transaction = { from: game.terms[role], ...scene.transactionOf(game, action) };
      // `move` has the parties behind the game's id.
      for (const index of action.kind === 'move' ? [1, 2] : NARROW_TERMS) {
        const dirty = withWord(transaction.data, index, numberToHex(BigInt(wordAt(transaction.data, index)) + 2n ** BigInt(160 + scene.random.below(96)), { size: 32 }));
        await scene.sendJunk({ ...transaction, data: dirty });
      }
      if (!(await turn.play(action))) throw new Broken('a clean call was refused after dirty ones');
    },
  },
];
