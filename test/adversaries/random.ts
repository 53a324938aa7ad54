import { bytesToBigInt, bytesToHex, concat, keccak256, numberToHex, pad, slice } from 'viem';
import type { Hex } from 'viem';
import { randomWords } from '../../fraud-proof/dispute/random-fault.ts';

/** Choices that a seed fixes. */
export class Random {
  readonly #next: () => Uint8Array;

  constructor(seed: bigint) {
    this.#next = randomWords(seed);
  }

  /** A whole number below `bound`. */
  below(bound: number | bigint): number {
    return Number(this.big(BigInt(bound)));
  }

  /** The same, of any size. */
  big(bound: bigint): bigint {
    return bytesToBigInt(this.#next()) % bound;
  }

  word(): Hex {
    return bytesToHex(this.#next());
  }

  /** A number that a state could have: below 2^248. */
  state(): Hex {
    return asState(this.word());
  }

  /** Made-up states: one for each step number. */
  states(): (step: bigint) => Hex {
    const seed = this.word();
    return (step) => asState(keccak256(concat([seed, numberToHex(step, { size: 32 })])));
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

const asState = (word: Hex): Hex => pad(slice(word, 1), { size: 32 });
