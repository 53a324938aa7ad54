import { commitTensor } from '../commitment/tree.ts';
import { rememberChecked } from '../program/checked-constants.ts';
import type { CheckedConstant } from '../program/checked-constants.ts';
import { byteLength, paddingIsZero } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { lazyConstants } from './constants.ts';
import type { WeightFile } from './constants.ts';

/** Where a model's constants go while it is put together. */
export interface ConstantStore {
  /** @param words padded, of this shape, and never changed again */
  add(shape: TensorShape, words: Uint8Array): void;
  /** All that were added, in that order. */
  list(): readonly Uint8Array[];
}

/** Keeps constants in memory. */
export function memoryStore(): ConstantStore {
  const constants: Uint8Array[] = [];
  return { add: (_, words) => { constants.push(words); }, list: () => constants };
}

/** A file that grows. */
export interface GrowingFile extends WeightFile {
  /** Writes behind what is there. @throws Error when there is no room */
  append(bytes: Uint8Array): void;
}

/**
 * Keeps constants in a file, and commits to each as it comes: a model larger than memory is put together without ever being in it.
 * @throws RangeError from `add`, when words do not have the shape, or padding that is not zero; whatever `append` throws
 */
export function fileStore(file: GrowingFile): ConstantStore {
  const added: CheckedConstant[] = [];
  let known: readonly Uint8Array[] | undefined;
  return {
    add: (shape, words) => {
      if (words.length !== byteLength(shape)) throw new RangeError(`constant ${added.length} has ${words.length} bytes, not ${byteLength(shape)} (padded words)`);
      if (!paddingIsZero(shape, words)) throw new RangeError(`constant ${added.length} has padding that is not zero`);
      file.append(words);
      added.push({ shape, commitment: commitTensor(words) });
      known = undefined;
    },
    list: () => {
      if (known === undefined) {
        known = lazyConstants(added.map(({ shape }) => shape), file);
        rememberChecked(known, added.slice());
      }
      return known;
    },
  };
}
