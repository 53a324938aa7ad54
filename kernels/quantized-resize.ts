import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/**
 * Bilinear interpolation of an image of bytes as XNNPACK does it, with fractions of 11 bits: with rows y0, y1 and columns x0, x1 from tables and fractions fy, fx,
 * `y = (Σ x[y_i · width + x_j][c] · wy_i · wx_j + 2^21) >> 22`; w0 = 2^11 − f, w1 = f. Halves go upwards, so a zero point need not be known.
 *
 * Shapes: x i8 [height·width][C], vertical i32 [3][H'] (y0, y1, fy), horizontal i32 [3][W'] (x0, x1, fx), y i8 [H'·W'][C].
 */
export const bilinearUpwards = kernel('bilinear-upwards', {
  operands: { x: i8, vertical: i32, horizontal: i32 },
  parameters: ['width'],
  output: i8,
  element: ({ row, column, operands: { x, vertical, horizontal }, parameters: { width } }) => {
    const [toY, toX] = [row.div(horizontal.columns), row.mod(horizontal.columns)];
    const [fy, fx] = [vertical.at(2, toY), horizontal.at(2, toX)];
    const across = (y: number): I32 => {
      const first = vertical.at(y, toY).mul(width);
      const [left, right] = [x.at(first.add(horizontal.at(0, toX)), column), x.at(first.add(horizontal.at(1, toX)), column)];
      return left.shl(11).add(right.sub(left).mul(fx));
    };
    const [top, bottom] = [across(0), across(1)];
    return top.shl(11).add(bottom.sub(top).mul(fy)).add(1 << 21).shr(22);
  },
});
