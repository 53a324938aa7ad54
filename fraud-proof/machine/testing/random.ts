/** Seeded pseudo-random numbers for generated tests (Marsaglia's xorshift128), so that every failure can be run again. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    for (let warmUp = 0; warmUp < 16; warmUp += 1) this.uint32();
  }

  uint32(): number {
    const state = this.#state;
    const first = state[0]! ^ (state[0]! << 11);
    state.copyWithin(0, 1);
    state[3] = state[2]! ^ (state[2]! >>> 19) ^ first ^ (first >>> 8);
    return state[3]!;
  }

  /** A whole number from 0 to `limit − 1`; `limit` is at most 2^53. */
  below(limit: number): number {
    return Math.floor(((this.uint32() * 2 ** 21 + (this.uint32() >>> 11)) / 2 ** 53) * limit);
  }

  chance(probability: number): boolean {
    return this.below(2 ** 32) < probability * 2 ** 32;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() >>> 24);
  }

  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }
}

const POWERS = [0, 3, 5, 7, 8, 10, 15, 16, 28, 31, 32, 33, 47, 62, 63].map((exponent) => 2n ** BigInt(exponent));
const SMALL = [0n, 1n, 2n, 3n, 5n, 7n, 9n, 31n, 33n, 62n, 64n, 127n, 255n];

/** A 64-bit signed value, those at which something changes far more often than others. */
export function edgeValue(random: Random): bigint {
  const magnitude = random.chance(0.4) ? random.pick(SMALL) : random.chance(0.6) ? random.pick(POWERS) + BigInt(random.below(3) - 1) : random.uint64() >> BigInt(random.below(64));
  return BigInt.asIntN(64, random.chance(0.5) ? magnitude : -magnitude);
}

/** An unsigned value of `bits` (at most 32) bits, small ones and those near the limits more often. */
export function edgeNumber(random: Random, bits: number): number {
  const limit = 2 ** bits;
  const value = random.chance(0.5) ? random.below(10) : random.chance(0.5) ? limit - 1 - random.below(4) : random.below(limit);
  return Math.min(value, limit - 1);
}

/** A word whose bytes are zero, extreme, or random. */
export function edgeWord(random: Random): Uint8Array {
  if (random.chance(0.2)) return new Uint8Array(32);
  if (random.chance(0.3)) return new Uint8Array(32).fill(random.pick([0x80, 0x7f, 0xff, 0x01]));
  const word = random.bytes(32);
  return random.chance(0.5) ? word : word.map((byte) => (random.chance(0.5) ? random.pick([0, 0x80, 0x7f, 0xff, 1]) : byte));
}
