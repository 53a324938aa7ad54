import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';

/**
 * Windows of an image laid out as rows (im2col), so that `linear` computes a convolution:
 * `y[Y·W'+X][(ky·kW + kx)·C + c] = x[tap(ky,kx)][c]`, or `fill` (x's zero point) where the tap is outside the image.
 * Below 32 channels this packs words better than a direct convolution.
 *
 * Shapes: x i8 [H·W][C], y i8 [H'·W'][kH·kW·C].
 */
export const patches = kernel('patches', {
  operands: { x: i8 },
  parameters: [...windowParameters, 'fill'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters }) => {
    const { kernelWidth, fill } = parameters;
    const index = column.div(x.columns);
    const tap = tapAt(parameters, row, index.div(kernelWidth), index.mod(kernelWidth));
    return tap.inside.select(x.at(rowOrNone(tap), column.mod(x.columns)), fill);
  },
});
