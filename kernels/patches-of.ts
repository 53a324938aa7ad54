import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';
import { patches } from './patches.ts';
import { remembered } from './remembered.ts';

/** `patches` for elements of either type: windows of an image laid out as rows. Shapes: x [H·W][C], y [H'·W'][kH·kW·C]. */
export const patchesOf = remembered((element: ElementType): Kernel =>
  element === 'i8' ? patches : kernel(`patches-${element}`, {
    operands: { x: element },
    parameters: [...windowParameters, 'fill'],
    output: element,
    element: ({ row, column, operands: { x }, parameters }) => {
      const index = column.div(x.columns);
      const tap = tapAt(parameters, row, index.div(parameters.kernelWidth), index.mod(parameters.kernelWidth));
      return tap.inside.select(x.at(rowOrNone(tap), column.mod(x.columns)), parameters.fill);
    },
  }));

/**
 * Patches for a transposed convolution (TensorFlow Lite `TRANSPOSE_CONV`, ONNX `ConvTranspose`), whose result is the input of the convolution that the parameters describe:
 * `y[Y·inputWidth + X][(ky·kW + kx)·C + c] = x[v·outputWidth + u][c]` where `v · strideY = Y + padTop − ky · dilationY` and `u · strideX = X + padLeft − kx · dilationX` have a
 * solution inside x, else `fill`.
 *
 * Shapes: x [outputHeight·outputWidth][C], y [inputHeight·inputWidth][kH·kW·C].
 */
export const transposedPatches = remembered((element: ElementType): Kernel =>
  kernel(`transposed-patches-${element}`, {
    operands: { x: element },
    parameters: ['inputWidth', 'outputHeight', 'outputWidth', 'kernelWidth', 'strideY', 'strideX', 'dilationY', 'dilationX', 'padTop', 'padLeft', 'fill'],
    output: element,
    element: ({ row, column, operands: { x }, parameters: p }) => {
      const tap = column.div(x.columns);
      const down = row.div(p.inputWidth).add(p.padTop).sub(tap.div(p.kernelWidth).mul(p.dilationY));
      const across = row.mod(p.inputWidth).add(p.padLeft).sub(tap.mod(p.kernelWidth).mul(p.dilationX));
      const on = (distance: I32, stride: I32, size: I32): I32 => int32(0).le(distance).and(distance.mod(stride).eq(0)).and(distance.div(stride).lt(size));
      const inside = on(down, p.strideY, p.outputHeight).and(on(across, p.strideX, p.outputWidth));
      const source = down.div(p.strideY).mul(p.outputWidth).add(across.div(p.strideX));
      return inside.select(x.at(inside.select(source, -1), column.mod(x.columns)), p.fill);
    },
  }));
