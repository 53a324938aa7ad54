import { hashPairs } from '../../../../deterministic-runtime/commitment/keccak.ts';

const WORD = 32;
const BLOCK = 64;

/**
 * Random words that a contract draws too (Draws.sol): number `i` of a case is keccak256(seed · 2^64 + case ‖ i), each 32 bytes, so that any case can
 * be made without those before it. @throws RangeError when the seed is not from 1 to 2^32 − 1
 */
export class Draws {
  readonly #messages = new Uint8Array(BLOCK * 2 * WORD);
  readonly #view = new DataView(this.#messages.buffer);
  #block: Uint8Array = new Uint8Array(0);
  #drawn = 0;

  constructor(seed: number, number: number) {
    if (!Number.isInteger(seed) || seed < 1 || seed >= 2 ** 32) throw new RangeError(`a seed is a whole number from 1 to 2^32 - 1, not ${seed}`);
    for (let index = 0; index < BLOCK; index += 1) {
      this.#view.setBigUint64(index * 2 * WORD + 16, BigInt(seed));
      this.#view.setBigUint64(index * 2 * WORD + 24, BigInt(number));
    }
  }

  /** The next word. */
  word(): Uint8Array {
    const at = this.#drawn % BLOCK;
    if (at === 0) {
      for (let index = 0; index < BLOCK; index += 1) this.#view.setUint32((2 * index + 2) * WORD - 4, this.#drawn + index);
      this.#block = hashPairs(this.#messages);
    }
    this.#drawn += 1;
    return this.#block.slice(at * WORD, (at + 1) * WORD);
  }

  /** The next word as eight numbers of 32 bits, the most significant first. */
  numbers(): readonly number[] {
    const word = this.word();
    const view = new DataView(word.buffer);
    return Array.from({ length: 8 }, (_, index) => view.getUint32(4 * index));
  }

  /** Whether the next word, as a fraction of 2^256, is below `probability`. */
  chance(probability: number): boolean {
    return this.numbers()[0]! < probability * 2 ** 32;
  }

  /** The first bytes of the next word. */
  bytes(length: number): Uint8Array {
    return this.word().subarray(0, length);
  }
}

/**
 * A 64-bit signed value out of two random numbers: raw, shortened, around ± a power of two, 32 bits, small, or (kind 7) around or below `limit`.
 * @param likely that kind 7 is drawn five times out of eight
 */
export function edgeScalar(high: number, low: number, limit: number, likely: boolean): bigint {
  const drawn = high >>> 29;
  const kind = likely && drawn < 4 ? 7 : drawn;
  const exponent = (high >>> 8) & 63;
  const small = high & 255;
  const raw = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  const around = BigInt((small % 3) - 1);
  switch (kind) {
    case 0: return raw;
    case 1: return raw >> BigInt(exponent);
    case 2: return BigInt.asIntN(64, (1n << BigInt(exponent)) + around);
    case 3: return BigInt.asIntN(64, around - (1n << BigInt(exponent)));
    case 4: return BigInt(low | 0);
    case 5: return BigInt(small);
    case 6: return BigInt(-small);
    default: return BigInt(exponent < 32 ? limit - 2 + (small % 4) : low % (limit + 1));
  }
}

/** An unsigned number of 32 bits: small, near 2^32, around 2^28, or any. */
export function edgeNumber(drawn: number): number {
  const rest = drawn >>> 8;
  return [rest % 10, 2 ** 32 - 1 - (rest % 4), 2 ** 28 - 1 + (rest % 3), drawn][drawn % 4]!;
}

/** The word, or one of the same size whose bytes are extreme. */
export function edgeWord(word: Uint8Array, selector: number): Uint8Array {
  switch (selector % 8) {
    case 0: return new Uint8Array(WORD);
    case 1: return new Uint8Array(WORD).fill(0x80);
    case 2: return new Uint8Array(WORD).fill(0x7f);
    case 3: return new Uint8Array(WORD).fill(0xff);
    case 4: return word.map((byte) => byte & 0x80);
    case 5: return word.map((byte) => byte | 0x7f);
    default: return word;
  }
}
