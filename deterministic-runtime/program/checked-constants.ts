import type { TensorShape } from './tensor.ts';

/** A constant that was checked against its shape (length, padding) and committed to while it went by. */
export interface CheckedConstant { readonly shape: TensorShape; readonly commitment: Uint8Array }

const checked = new WeakMap<readonly Uint8Array[], readonly CheckedConstant[]>();

/** Remembers what was found out about constants, so that a file larger than memory is read once to admit a model. Who says so must have checked all of them. */
export function rememberChecked(constants: readonly Uint8Array[], list: readonly CheckedConstant[]): void {
  if (list.length !== constants.length) throw new RangeError(`${list.length} of ${constants.length} constants were checked`);
  checked.set(constants, list);
}

/** What is known of this very list of constants; undefined when they must be read. */
export const checkedConstants = (constants: readonly Uint8Array[]): readonly CheckedConstant[] | undefined => checked.get(constants);
