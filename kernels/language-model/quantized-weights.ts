import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { byteLength, wordsPerRow, WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';
import type { ProgramBuilder, Tensor } from '../program-builder.ts';
import { ACTIVATION_LIMIT } from '../quantize-rows.ts';
import type { ActivationBits } from '../quantize-rows.ts';
import type { WeightName, WeightSource } from './architecture.ts';

/** Elements of a tensor that are in memory as floats at a time. */
const ELEMENTS_AT_ONCE = 2 ** 20;

/** A matrix with a scale a row: row r stands for `(256 · high + low) · scales[r]`, or `high · scales[r]` where there is no low part. */
export interface QuantizedMatrix {
  readonly high: Tensor;
  readonly low: Tensor | undefined;
  readonly scales: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Rows of a tensor in pieces of bounded size. */
async function* pieces(source: WeightSource, name: WeightName): AsyncGenerator<{ readonly from: number; readonly elements: Float32Array }> {
  const { rows, columns } = requireShape(source, name);
  const step = Math.max(1, Math.floor(ELEMENTS_AT_ONCE / columns));
  for (let from = 0; from < rows; from += step) {
    const elements = await source.rows(name, from, Math.min(rows, from + step));
    yield { from, elements };
  }
}

function requireShape(source: WeightSource, name: WeightName): { readonly rows: number; readonly columns: number } {
  const shape = source.shape(name);
  if (shape === undefined) throw new RangeError(`the model has no tensor '${describe(name)}'`);
  return shape;
}

const describe = (name: WeightName): string => ('layer' in name ? `${name.tensor} of layer ${name.layer}` : name.tensor);

/** A whole vector, or zeros where the model has none. @throws RangeError when a number is not finite */
export async function vectorOf(source: WeightSource, name: WeightName, columns: number): Promise<Float64Array> {
  if (source.shape(name) === undefined) return new Float64Array(columns);
  const elements = Float64Array.from(await source.rows(name, 0, 1));
  if (elements.length !== columns) throw new RangeError(`${describe(name)} has ${elements.length} elements, not ${columns}`);
  requireFinite(elements, name);
  return elements;
}

function requireFinite(elements: ArrayLike<number>, name: WeightName): void {
  for (let index = 0; index < elements.length; index += 1) {
    if (!Number.isFinite(elements[index])) throw new RangeError(`element ${index} of ${describe(name)} is ${elements[index]}: weights must be finite numbers`);
  }
}

/**
 * Quantises matrices, one below the other, each row by its own greatest magnitude, in floats; `onRow` sees each row as it was.
 * @throws RangeError when a tensor is missing, has another number of columns or a number that is not finite
 */
export async function quantizeMatrix(
  builder: ProgramBuilder,
  source: WeightSource,
  names: readonly WeightName[],
  bits: ActivationBits,
  onRow: (row: number, elements: Float32Array) => void = () => {},
): Promise<QuantizedMatrix> {
  const shapes = names.map((name) => requireShape(source, name));
  const rows = shapes.reduce((total, shape) => total + shape.rows, 0);
  const columns = shapes[0]!.columns;
  const shape: TensorShape = { element: 'i8', rows, columns };
  const stride = wordsPerRow(shape) * WORD_BYTES;
  const high = new Uint8Array(byteLength(shape));
  const low = bits === 16 ? new Uint8Array(byteLength(shape)) : undefined;
  const greatest = new Float64Array(rows);
  const limit = ACTIVATION_LIMIT[bits];
  let first = 0;
  for (const [index, name] of names.entries()) {
    if (shapes[index]!.columns !== columns) throw new RangeError(`${describe(name)} has ${shapes[index]!.columns} columns, not ${columns}`);
    for await (const { from, elements } of pieces(source, name)) {
      requireFinite(elements, name);
      for (let row = first + from, start = 0; start < elements.length; row += 1, start += columns) {
        const values = elements.subarray(start, start + columns);
        onRow(row, values);
        let most = 0;
        for (const value of values) most = Math.max(most, Math.abs(value));
        greatest[row] = most;
        const factor = most === 0 ? 0 : limit / most;
        for (let column = 0, place = row * stride; column < columns; column += 1, place += 1) {
          const value = Math.round(values[column]! * factor);
          if (low === undefined) high[place] = value;
          else {
            high[place] = (value + 128) >> 8;
            low[place] = value;
          }
        }
      }
    }
    first += shapes[index]!.rows;
  }
  return { high: builder.words(shape, high), low: low === undefined ? undefined : builder.words(shape, low), scales: greatest.map((value) => value / limit), rows, columns };
}

/** Numbers ≥ 0 as integers of 31 bits with one exponent: `value ≈ integer · 2^exponent`. */
export function fixedScales(values: Float64Array): { readonly integers: Int32Array; readonly exponent: number } {
  const most = values.reduce((greatest, value) => Math.max(greatest, value), 0);
  const exponent = (most === 0 ? 0 : Math.floor(Math.log2(most)) + 1) - 31;
  return { integers: Int32Array.from(values, (value) => Math.min(0x7fff_ffff, Math.round(value / 2 ** exponent))), exponent };
}
