/** A small deterministic source of random numbers (splitmix32): the same seed gives the same numbers everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits, signed. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  }

  /** A whole number from `least` to `greatest`. */
  integer(least: number, greatest: number): number {
    return least + ((this.bits() >>> 0) % (greatest - least + 1));
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from');
    return list[this.integer(0, list.length - 1)] as T;
  }
}

const EDGES_8 = [0, 0, 1, -1, 2, 127, -128, -127, 64, -64];
const EDGES_32 = [
  0, 0, 1, -1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 127, 128, -128, 255, 256, 32767, -32768, 65535,
  8388607, 8388608, -8388608, -8388609, 1073741824, 2147483647, -2147483647, -2147483648,
];
const EDGES_64 = [
  2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n), 2n ** 33n + 1n, 2n ** 62n, -(2n ** 62n), 2n ** 63n - 1n, -(2n ** 63n), 1n - 2n ** 63n,
];

/** A 32-bit integer, special ones more often than not. */
export const randomInt32 = (random: Random): number => (random.chance(60) ? random.pick(EDGES_32) : random.chance(50) ? random.integer(-20, 20) : random.bits());

/** A 64-bit integer, special ones more often than not. */
export function randomInt64(random: Random): bigint {
  if (random.chance(40)) return BigInt(randomInt32(random));
  if (random.chance(60)) return random.pick(EDGES_64);
  return BigInt.asIntN(64, (BigInt(random.bits()) << 32n) ^ BigInt(random.bits()));
}

/** Bytes of `elements` elements, special values more often than not. */
export function randomElements(random: Random, element: 'i8' | 'i32', elements: number): Uint8Array {
  if (element === 'i8') return Uint8Array.from({ length: elements }, () => (random.chance(50) ? random.pick(EDGES_8) : random.bits()) & 255);
  const bytes = new Uint8Array(elements * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < elements; index += 1) view.setInt32(index * 4, randomInt32(random), true);
  return bytes;
}
