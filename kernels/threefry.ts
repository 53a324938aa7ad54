import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int64, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I64 } from '../deterministic-runtime/language/scalar.ts';
import { half } from './wide-integers.ts';

const ROUNDS = 20;
/** Rotations of the two mixes of round `r mod 8`. */
const ROTATIONS = [[14, 16], [52, 57], [23, 40], [5, 37], [25, 33], [46, 12], [58, 22], [32, 32]] as const;
/** What the key's words are combined with to give a fifth one. */
const PARITY = BigInt.asIntN(64, 0x1bd1_1bda_a9fc_1a22n);

type Quadruple = [I64, I64, I64, I64];

/**
 * Threefry-4×64 with 20 rounds: a block of four 64-bit numbers that looks random, from a counter and a key of the same size
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011; the rotations are those of Threefish-256 in Skein 1.3).
 */
export function threefry4x64(counter: Readonly<Quadruple>, key: Readonly<Quadruple>): Quadruple {
  const keys = [...key, key.reduce((parity, word) => parity.xor(word), int64(PARITY))];
  const inject = (state: Readonly<Quadruple>, injection: number): Quadruple => {
    const added = state.map((word, index) => word.add(keys[(injection + index) % 5] as I64)) as Quadruple;
    if (injection > 0) added[3] = added[3].add(injection);
    return added;
  };
  let state = inject(counter, 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    const [first, second] = ROTATIONS[round % 8] as (typeof ROTATIONS)[number];
    const [a, b, c, d] = state;
    if (round % 2 === 0) {
      const [left, right] = [a.add(b), c.add(d)];
      state = [left, rotate(b, first).xor(left), right, rotate(d, second).xor(right)];
    } else {
      const [left, right] = [a.add(d), c.add(b)];
      state = [left, rotate(b, second).xor(right), right, rotate(d, first).xor(left)];
    }
    if (round % 4 === 3) state = inject(state, (round + 1) / 4);
  }
  return state;
}

const rotate = (word: I64, bits: number): I64 => word.shl(bits).or(word.shru(64 - bits));

/**
 * 64 random bits of each iteration: the first number of the block whose counter is (iteration, 0, 0, 0) and whose key is the seed's
 * 32 bytes, four numbers in little-endian order. `y[0][0]` has the low 32 bits, `y[0][1]` the high ones.
 *
 * Shapes: seed i8 [1][32], y i32 [1][2].
 */
export const randomBits = kernel('random-bits', {
  operands: { seed: i8 },
  output: i32,
  element: ({ column, iteration, operands: { seed } }) => {
    const word = (index: number): I64 => sum(8, (byte) => seed.at(0, byte.add(8 * index)).and(255).wide().shl(byte.mul(8).wide()));
    const zero = int64(0);
    const [bits] = threefry4x64([iteration.wide(), zero, zero, zero], [word(0), word(1), word(2), word(3)]);
    return half(bits, column);
  },
});
