import { joinWords } from './encoding.ts';
import type { Random } from './random.ts';

/** A way to spoil a proof. */
export interface Tampering {
  readonly name: string;
  apply(proof: Uint8Array, random: Random): Uint8Array;
}

const wordsOf = (proof: Uint8Array): Uint8Array[] => Array.from({ length: proof.length / 32 }, (_, index) => proof.subarray(32 * index, 32 * index + 32));
const positionIn = (proof: Uint8Array, random: Random): number => random.below(proof.length / 32);

/** Truncated, extended, shifted, bit-flipped: whatever they give, if it is not the proof itself, must be refused. */
export const TAMPERINGS: readonly Tampering[] = [
  { name: 'last word missing', apply: (proof) => proof.subarray(0, -32) },
  { name: 'last byte missing', apply: (proof) => proof.subarray(0, -1) },
  { name: 'cut anywhere', apply: (proof, random) => proof.subarray(0, random.below(proof.length)) },
  { name: 'zero word appended', apply: (proof) => joinWords([...wordsOf(proof), new Uint8Array(32)]) },
  { name: 'byte appended', apply: (proof) => Uint8Array.from([...proof, 0]) },
  { name: 'word missing', apply: (proof, random) => joinWords(wordsOf(proof).toSpliced(positionIn(proof, random), 1)) },
  { name: 'zero word inserted', apply: (proof, random) => joinWords(wordsOf(proof).toSpliced(positionIn(proof, random), 0, new Uint8Array(32))) },
  { name: 'word repeated', apply: (proof, random) => {
    const position = positionIn(proof, random);
    return joinWords(wordsOf(proof).toSpliced(position, 0, wordsOf(proof)[position] as Uint8Array));
  } },
  { name: 'neighbours swapped', apply: (proof, random) => {
    const position = random.below(proof.length / 32 - 1);
    const [first, second] = wordsOf(proof).slice(position, position + 2) as [Uint8Array, Uint8Array];
    return joinWords(wordsOf(proof).toSpliced(position, 2, second, first));
  } },
  { name: 'shifted by a byte', apply: (proof) => Uint8Array.from([0, ...proof.subarray(0, -1)]) },
  { name: 'bit flipped', apply: (proof, random) => {
    const at = random.below(proof.length);
    return proof.with(at, (proof[at] as number) ^ (1 << random.below(8)));
  } },
];
