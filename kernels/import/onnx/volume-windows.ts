import { ImportError } from '../import-error.ts';
import type { DepthWindow, Window } from '../network/layer.ts';
import { describe, integer, integers, text } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** How a window moves over one axis. */
export interface AxisWindow { readonly input: number; readonly output: number; readonly kernel: number; readonly stride: number; readonly dilation: number; readonly pad: number; readonly padAfter: number }

/** The window of a node over an image of any number of axes, axis by axis. @throws ImportError for attributes of another number of axes, or a window larger than the padded image. */
export function axisWindows(node: OnnxNode, sizes: readonly number[], kernel: readonly number[]): AxisWindow[] {
  const rank = sizes.length;
  const fill = (value: number): number[] => new Array<number>(rank).fill(value);
  if (kernel.length !== rank || kernel.some((size) => size < 1)) throw new ImportError(`${describe(node)}: a window of [${kernel.join(', ')}] over an image of [${sizes.join(', ')}]`);
  const strides = integers(node, 'strides', fill(1), 1);
  const dilations = integers(node, 'dilations', fill(1), 1);
  const pads = integers(node, 'pads', [...fill(0), ...fill(0)]);
  const mode = text(node, 'auto_pad', 'NOTSET');
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER', ''].includes(mode)) throw new ImportError(`${describe(node)}: auto_pad ${mode} is unknown`);
  const ceiling = integer(node, 'ceil_mode', 0) !== 0;
  return sizes.map((input, axis): AxisWindow => {
    const [size, stride, dilation] = [kernel[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1];
    const extent = (size - 1) * dilation + 1;
    const base = { input, kernel: size, stride, dilation };
    if (mode.startsWith('SAME')) {
      const output = Math.ceil(input / stride);
      const total = Math.max(0, (output - 1) * stride + extent - input);
      const pad = mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      return { ...base, output, pad, padAfter: total - pad };
    }
    const [pad, padAfter] = mode === 'VALID' ? [0, 0] : [pads[axis] ?? 0, pads[axis + rank] ?? 0];
    const positions = (input + pad + padAfter - extent) / stride;
    if (!(positions >= 0)) throw new ImportError(`${describe(node)}: a window of ${extent} is larger than the padded image of ${input + pad + padAfter}`);
    const output = (ceiling ? Math.ceil(positions) : Math.floor(positions)) + 1;
    // With ceil_mode a window that would begin beyond the image and its leading padding is left out.
    return { ...base, output: ceiling && (output - 1) * stride >= input + pad ? output - 1 : output, pad, padAfter };
  });
}

const POINT: AxisWindow = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, pad: 0, padAfter: 0 };

/** The windows of one to three axes as layers have them: a signal is an image of height 1. */
export function layerWindow(axes: readonly AxisWindow[]): { readonly window: Window; readonly depth?: DepthWindow } {
  const [z, y = POINT, x = POINT] = axes.length === 3 ? axes : [undefined, ...(axes.length === 2 ? axes : [POINT, ...axes])];
  const window = {
    inputHeight: y.input, inputWidth: x.input, outputHeight: y.output, outputWidth: x.output, kernelHeight: y.kernel, kernelWidth: x.kernel,
    strideY: y.stride, strideX: x.stride, dilationY: y.dilation, dilationX: x.dilation, padTop: y.pad, padLeft: x.pad,
  };
  if (z === undefined) return { window };
  return { window, depth: { inputDepth: z.input, outputDepth: z.output, kernelDepth: z.kernel, strideZ: z.stride, dilationZ: z.dilation, padFront: z.pad } };
}
