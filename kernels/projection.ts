import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, int64, requantize, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import type { ActivationBits } from './quantize-rows.ts';

/** Σ_k x[xRow][k] · w[wRow][k]. */
const dot = (x: ByteOperand, xRow: number, w: ByteOperand, wRow: I32): I64 => sum(x.words, (k) => dot32(x.word(xRow, k), w.word(wRow, k))).wide();

/** x · w for 8-bit weights, exactly. */
const product = (bits: ActivationBits, x: ByteOperand, w: ByteOperand, column: I32): I64 =>
  bits === 8 ? dot(x, 0, w, column) : dot(x, 0, w, column).shl(8).add(dot(x, 1, w, column));

/** x · w for 16-bit weights: exactly for 8-bit x; else in units of 256, without the products of two low bytes. */
const wideProduct = (bits: ActivationBits, x: ByteOperand, high: ByteOperand, low: ByteOperand, column: I32): I64 =>
  bits === 8
    ? dot(x, 0, high, column).shl(8).add(dot(x, 0, low, column))
    : dot(x, 0, high, column).shl(8).add(dot(x, 0, low, column).add(dot(x, 1, high, column)));

/** `sum · scale · (the row's scale)` as a fixed-point number: `sum / 2^drop` has 32 bits, and `exponent` is all that does not depend on the row. */
function scaled(total: I64, scale: I32, statistics: TensorOperand, drop: I32, exponent: I32): I32 {
  const amount = drop.wide();
  const accumulator = total.add(int64(1).shl(amount).shr(1)).shr(amount).narrow();
  const multiplier = scale.wide().mul(statistics.at(2).wide()).shr(31).narrow();
  return requantize(accumulator, { multiplier, shift: exponent.sub(statistics.at(3)).clamp(1, 62) });
}

/** What is added to a product. */
export type Addition = 'none' | 'bias' | 'residual' | 'biasAndResidual';

const ADDENDS: Readonly<Record<Addition, readonly ('bias' | 'residual')[]>> = { none: [], bias: ['bias'], residual: ['residual'], biasAndResidual: ['bias', 'residual'] };

function projectionKernel(weightBits: ActivationBits, bits: ActivationBits, addition: Addition): Kernel {
  const addends = ADDENDS[addition];
  const base = { scale: i32, statistics: i32, ...Object.fromEntries(addends.map((name) => [name, i32])) } as { readonly scale: typeof i32; readonly statistics: typeof i32 };
  const parameters = ['drop', 'exponent'] as const;
  const name = ['projection', bits, ...(weightBits === 16 ? ['wide'] : []), ...addends].join('-');
  const finish = (total: I64, column: I32, operands: Readonly<Record<'scale' | 'statistics', TensorOperand>>, drop: I32, exponent: I32): I32 =>
    addends.reduce(
      (value, addend) => value.add((operands as unknown as Readonly<Record<string, TensorOperand>>)[addend]!.at(int32(0), column)),
      scaled(total, operands.scale.at(column), operands.statistics, drop, exponent),
    );
  return weightBits === 8
    ? kernel(name, {
      operands: { x: i8, w: i8, ...base }, parameters, output: i32,
      element: ({ column, operands, parameters: { drop, exponent } }) => finish(product(bits, operands.x, operands.w, column), column, operands, drop, exponent),
    })
    : kernel(name, {
      operands: { x: i8, high: i8, low: i8, ...base }, parameters, output: i32,
      element: ({ column, operands, parameters: { drop, exponent } }) => finish(wideProduct(bits, operands.x, operands.high, operands.low, column), column, operands, drop, exponent),
    });
}

type Projections = Readonly<Record<ActivationBits, Readonly<Record<Addition, Kernel>>>>;

const projections = (weightBits: ActivationBits): Projections => {
  const additions = (bits: ActivationBits): Readonly<Record<Addition, Kernel>> => ({
    none: projectionKernel(weightBits, bits, 'none'),
    bias: projectionKernel(weightBits, bits, 'bias'),
    residual: projectionKernel(weightBits, bits, 'residual'),
    biasAndResidual: projectionKernel(weightBits, bits, 'biasAndResidual'),
  });
  return { 8: additions(8), 16: additions(16) };
};

/**
 * A matrix of 8-bit weights, a scale an output channel, times a quantised row; the result is fixed-point, with a bias, the residual stream or both
 * added to it:
 * `y[0][c] = requantize((Σ_k x[k] · w[c][k] + 2^(drop−1)) >> drop, (scale[c] · statistics[2]) >> 31, exponent − statistics[3]) + …`.
 *
 * Shapes: x i8 [1][K] or, of 16 bits, [2][K]; w i8 [C][K]; scale i32 [1][C]; statistics as `ROW_STATISTICS`; bias, residual, y i32 [1][C].
 */
export const projection: Projections = projections(8);

/** The same for weights of 16 bits, w = 256 · high + low; with x of 16 bits, sums count 256ths and lack the products of two low bytes. */
export const wideProjection: Projections = projections(16);
