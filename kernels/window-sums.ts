import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { sum } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';

/**
 * Sum over a window, of what a mean is made: `y[Y·W'+X][c] = Σ (x[tap][c] − xZero)` over the taps inside the image.
 *
 * Shapes: x i8 [H·W][C], y i32 [H'·W'][C].
 */
export const windowSums = kernel('window-sums', {
  operands: { x: i8 },
  parameters: [...windowParameters, 'xZero'],
  output: i32,
  element: ({ row, column, operands: { x }, parameters }) =>
    sum(parameters.kernelHeight, (ky) =>
      sum(parameters.kernelWidth, (kx) => {
        const tap = tapAt(parameters, row, ky, kx);
        return tap.inside.select(x.at(rowOrNone(tap), column).sub(parameters.xZero), 0);
      })),
});
