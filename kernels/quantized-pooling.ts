import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';
import type { Tap } from './image-window.ts';
import { remembered } from './remembered.ts';

const poolingParameters = [...windowParameters, 'low', 'high'] as const;

/**
 * Maximum over the taps inside the image, cut to `low … high`, which is given where there is no tap (TensorFlow Lite `MAX_POOL_2D`). Shapes: x [H·W][C], y [H'·W'][C].
 */
export const quantizedMaximum = remembered((element: ElementType): Kernel =>
  kernel(`quantized-maximum-${element}`, {
    operands: { x: element },
    parameters: poolingParameters,
    output: element,
    element: ({ row, column, operands: { x }, parameters }) =>
      maximum(parameters.kernelHeight, (ky) =>
        maximum(parameters.kernelWidth, (kx) => {
          const tap = tapAt(parameters, row, ky, kx);
          return tap.inside.select(x.at(rowOrNone(tap), column), parameters.low);
        })).clamp(parameters.low, parameters.high),
  }));

/**
 * Mean over the taps inside the image, `clamp(round(Σ (x[tap][c] + offset) / n) − offset, low, high)` with halves away from zero, or 0 for the quotient where n = 0 (TensorFlow Lite
 * `AVERAGE_POOL_2D`, which takes the mean of the integers as the file counts them: the offset is 128 where unsigned bytes are kept less 128). Shapes: x [H·W][C], y [H'·W'][C].
 */
export const quantizedAverage = remembered((element: ElementType): Kernel =>
  kernel(`quantized-average-${element}`, {
    operands: { x: element },
    parameters: [...poolingParameters, 'offset'],
    output: element,
    element: ({ row, column, operands: { x }, parameters }) => {
      const { kernelHeight, kernelWidth, low, high, offset } = parameters;
      const overTaps = (value: (tap: Tap) => I32): I32 => sum(kernelHeight, (ky) => sum(kernelWidth, (kx) => value(tapAt(parameters, row, ky, kx))));
      const count = overTaps((tap) => tap.inside);
      const total = overTaps((tap) => x.at(rowOrNone(tap), column)).add(count.mul(offset));
      const half = count.div(2);
      return total.add(total.lt(0).select(int32(0).sub(half), half)).div(count).sub(offset).clamp(low, high);
    },
  }));
