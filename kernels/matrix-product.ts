import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, int64, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { placed, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/** Planes of bytes that each side has: one of eight bits, or two (`planes.ts`), high first. */
export interface MatrixProductForm { readonly a: 1 | 2; readonly b: 1 | 2; readonly output: ElementType }

const planeNames = (side: 'a' | 'b', planes: 1 | 2): string[] => (planes === 1 ? [side] : [`${side}High`, `${side}Low`]);

/**
 * Batched product of two computed matrices (ONNX `MatMul`; attention), b given transposed:
 * `y[p·m + i][n] = clamp((acc · multiplier + half) >> shift + zeroPoint, low, high)`,
 * `acc = Σ_k (a[A·m + i][k] − aZero) · (b[B·N + n][k] − bZero)`, where N is y's columns, batch p of y reads batch `A = (p div aDivide) mod aBatches` of a, and B likewise.
 * The zero points enter through the sums of rows: `acc = Σ a·b − aZero · bSums − bZero · aSums + inner · aZero · bZero`. Multipliers stay below 2^20.
 *
 * Shapes: a i8 [aBatches·m][K] (each plane), b i8 [bBatches·N][K], aSums i32 [aBatches·m][1], bSums i32 [bBatches·N][1], y [P·m][N].
 */
export const matrixProduct = remembered((form: MatrixProductForm): Kernel => {
  const planes = { a: planeNames('a', form.a), b: planeNames('b', form.b) };
  const operands = Object.fromEntries([...planes.a, ...planes.b].map((name) => [name, i8]));
  return kernel(`matrix-product-${form.a}-${form.b}-${form.output}`, {
    operands: { ...operands, aSums: i32, bSums: i32 },
    parameters: ['m', 'aDivide', 'aBatches', 'bDivide', 'bBatches', 'aZero', 'bZero', 'inner', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: form.output,
    element: ({ row, column, output, operands: given, parameters: p }) => {
      const all = given as unknown as Readonly<Record<string, ByteOperand>>;
      const batch = row.div(p.m);
      const aRow = batch.div(p.aDivide).mod(p.aBatches).mul(p.m).add(row.mod(p.m));
      const bRow = batch.div(p.bDivide).mod(p.bBatches).mul(output.columns).add(column);
      let total: I64 = int64(0);
      planes.a.forEach((left, i) => planes.b.forEach((right, j) => {
        const x = all[left] as ByteOperand;
        const dot = sum(x.words, (k) => dot32(x.word(aRow, k), (all[right] as ByteOperand).word(bRow, k)));
        total = total.add(dot.wide().shl(8 * (planes.a.length - 1 - i + planes.b.length - 1 - j)));
      }));
      const zeros = p.aZero.mul(p.bZero).mul(p.inner);
      const corrections: I32 = p.aZero.mul((all['bSums'] as ByteOperand).at(bRow, 0)).add(p.bZero.mul((all['aSums'] as ByteOperand).at(aRow, 0)));
      return placed(scaled(total.add(zeros.sub(corrections).wide()), p.multiplier, p.shift), p);
    },
  });
});

/** Sums of rows of bytes: `y[r][0] = Σ_k x[r][k]`. Shapes: x i8 [R][K], ones i8 [1][32] (all 1), y i32 [R][1]. */
export const byteRowSums = kernel('byte-row-sums', {
  operands: { x: i8, ones: i8 },
  output: i32,
  element: ({ row, operands: { x, ones } }) => sum(x.words, (k) => dot32(x.word(row, k), ones.word(int32(0), int32(0)))),
});
