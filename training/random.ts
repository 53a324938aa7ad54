import { Random as SharedRandom } from '../deterministic-runtime/language/testing/random.ts';

/** A small deterministic source of random numbers: the same seed gives the same numbers everywhere. */
export class Random extends SharedRandom {
  /** 32 random bits, unsigned. */
  override bits(): number {
    return super.bits() >>> 0;
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  /** True in `percent` of a hundred cases. */
  override chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of the list. */
  override pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from');
    return list[this.below(list.length)] as T;
  }

  /** About normal, mean 0 and deviation 1: twelve uniform numbers' sum. The same on all machines, which logarithms and sines are not. */
  normal(): number {
    let sum = -6;
    for (let index = 0; index < 12; index += 1) sum += this.fraction();
    return sum;
  }
}
