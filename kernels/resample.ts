import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/**
 * Weighted sums of an image's rows or columns of pixels, from tables (ONNX `Resize` along one axis: two taps a pixel for linear, four for cubic):
 * `y[o · length' · inner + p · inner + i][c] = round(Σ_t x[o · length · inner + source[t][p] · inner + i][c] · weight[t][p] / 2^shift)`, halves upwards, saturated to
 * 32 bits; 64-bit sums. Apply it to the vertical axis (inner = width) and then the horizontal one (inner = 1).
 *
 * Shapes: x [O·length·inner][C], source i32 [T][length'], weight i32 [T][length'], y i32 [O·length'·inner][C]; shift 1…31.
 */
export const resample = remembered((element: ElementType): Kernel =>
  kernel(`resample-${element}`, {
    operands: { x: element, source: i32, weight: i32 },
    parameters: ['length', 'inner', 'shift'],
    output: i32,
    element: ({ row, column, operands: { x, source, weight }, parameters: { length, inner, shift } }) => {
      const place = row.mod(inner);
      const position = row.div(inner).mod(source.columns);
      const first = row.div(inner.mul(source.columns)).mul(length);
      const total = sum(source.rows, (tap) =>
        x.at(first.add(source.at(tap, position)).mul(inner).add(place), column).wide().mul(weight.at(tap, position).wide()));
      return total.add(int64(1).shl(shift.sub(1).wide())).shr(shift.wide()).clamp(-(2 ** 31), 2 ** 31 - 1).narrow();
    },
  }));

/**
 * Bilinear interpolation of a quantised image in one step (TensorFlow Lite `RESIZE_BILINEAR`, int8): with rows y0, y1 and columns x0, x1 from tables and fractions
 * fy, fx of 10 bits, `y = (Σ x[y_i · width + x_j][c] · wy_i · wx_j + half) / 2^20`, rounded to nearest, halves away from zero; w0 = 2^10 − f, w1 = f.
 *
 * Shapes: x i8 [height·width][C], vertical i32 [3][H'] (y0, y1, fy), horizontal i32 [3][W'] (x0, x1, fx), y i8 [H'·W'][C].
 */
export const resizeBilinear = kernel('resize-bilinear', {
  operands: { x: i8, vertical: i32, horizontal: i32 },
  parameters: ['width'],
  output: i8,
  element: ({ row, column, operands: { x, vertical, horizontal }, parameters: { width } }) => {
    const [toY, toX] = [row.div(horizontal.columns), row.mod(horizontal.columns)];
    const [fy, fx] = [vertical.at(2, toY), horizontal.at(2, toX)];
    const across = (y: number): I32 => {
      const first = vertical.at(y, toY).mul(width);
      return x.at(first.add(horizontal.at(0, toX)), column).mul(fx.sub(1024).mul(-1)).add(x.at(first.add(horizontal.at(1, toX)), column).mul(fx));
    };
    const total = across(0).mul(fy.sub(1024).mul(-1)).add(across(1).mul(fy));
    return total.add(total.lt(0).select(int32(-(2 ** 19)), 2 ** 19)).div(2 ** 20);
  },
});
