import { fixedPointTable, softmaxTables } from '../../kernels/import/tflite/convert-softmax.ts';
import type { CmsisCase } from './cmsis-cases.ts';
import { single, size, typeOf } from './cmsis-networks.ts';
import type { CmsisRun } from './cmsis-networks.ts';

/* Cases of softmaxes and of transposed dimensions. */

export function softmaxRun(given: CmsisCase): CmsisRun {
  const dims = [given.number('NUM_ROWS'), given.number('ROW_SIZE')];
  const [multiplier, left] = [given.number('INPUT_MULT', given.number('MULT', 0)), given.number('INPUT_LEFT_SHIFT', given.number('SHIFT', 0))];
  const output = typeOf(given.type('output_ref'));
  if (typeOf(given.type('input')) === 'int16') {
    return single(given, dims, dims, (x, y) => [{ kind: 'wide-softmax', name: y, output: y, x, factor: { multiplier, shift: 31 - left, rounding: 'twice' }, ...softmaxTables(false) }]);
  }
  return single(given, dims, dims, (x, y) => [{ kind: 'fixed-point-softmax', name: y, output: y, x, table: fixedPointTable(multiplier, left, given.number('DIFF_MIN')) }], output);
}

/** All ways to write a number as a product of so many factors above 1, in order. */
function* factors(value: number, count: number): Generator<readonly number[]> {
  if (count === 1) yield [value];
  else for (let first = 2; first <= value / 2; first += 1) if (value % first === 0) for (const rest of factors(value / first, count - 1)) yield [first, ...rest];
}

function* permutations(values: readonly number[]): Generator<readonly number[]> {
  if (values.length === 0) yield [];
  for (const value of values) for (const rest of permutations(values.filter((other) => other !== value))) yield [value, ...rest];
}

/** True where golden element (i, j, …) is the input's with its indices in that order. */
function isTransposed(input: readonly number[], golden: readonly number[], dims: readonly number[], order: readonly number[]): boolean {
  const strides = dims.map((_, axis) => size(dims.slice(axis + 1)));
  return golden.every((value, place) => {
    let [rest, at] = [place, 0];
    for (const axis of [...order].reverse()) {
      const dim = dims[axis] ?? 1;
      at += (rest % dim) * (strides[axis] ?? 0);
      rest = Math.floor(rest / dim);
    }
    return input[at] === value;
  });
}

/** The data does not say which dimensions were transposed: the first ones that fit it are taken. @throws Error where none do. */
export function transposeRun(given: CmsisCase): CmsisRun {
  const [input, golden] = [given.required('input_tensor'), given.required('output')];
  const count = given.number('PERM_SIZE');
  for (const dims of factors(input.length, count)) {
    for (const order of permutations([...dims.keys()])) {
      if (order.every((axis, place) => axis === place) || !isTransposed(input, golden, dims, order)) continue;
      return single(given, dims, order.map((axis) => dims[axis] ?? 1), (x, y) => [{ kind: 'transpose', name: y, output: y, x, order }]);
    }
  }
  throw new Error('no dimensions fit the data');
}
