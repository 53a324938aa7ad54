import { ImportError } from '../import-error.ts';
import type { Window } from '../network/layer.ts';
import { describe, integer, integers, text } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/**
 * The window of a Conv or pooling node over an image of this size (ONNX operators Conv, MaxPool, AveragePool: `strides`, `dilations`, `pads`,
 * `auto_pad`, `ceil_mode`).
 *
 * @throws ImportError for attributes that are not two-dimensional, or a window larger than the padded image.
 */
export function windowOf(node: OnnxNode, [inputHeight, inputWidth]: readonly [number, number], kernel: readonly number[]): Window {
  const [kernelHeight = 0, kernelWidth = 0] = kernel;
  if (kernel.length !== 2 || kernelHeight < 1 || kernelWidth < 1) throw new ImportError(`${describe(node)}: windows have two dimensions here, not [${kernel.join(', ')}]`);
  const [strideY = 1, strideX = 1] = integers(node, 'strides', [1, 1], 1);
  const [dilationY = 1, dilationX = 1] = integers(node, 'dilations', [1, 1], 1);
  const [top = 0, left = 0, bottom = 0, right = 0] = integers(node, 'pads', [0, 0, 0, 0]);
  const mode = text(node, 'auto_pad', 'NOTSET');
  const ceiling = integer(node, 'ceil_mode', 0) !== 0;
  const axis = (input: number, size: number, stride: number, dilation: number, before: number, after: number): { readonly output: number; readonly pad: number } => {
    const extent = (size - 1) * dilation + 1;
    if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
      const output = Math.ceil(input / stride);
      const total = Math.max(0, (output - 1) * stride + extent - input);
      return { output, pad: mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2) };
    }
    if (mode !== 'NOTSET' && mode !== 'VALID') throw new ImportError(`${describe(node)}: auto_pad ${mode} is unknown`);
    const [pad, padAfter] = mode === 'VALID' ? [0, 0] : [before, after];
    const positions = (input + pad + padAfter - extent) / stride;
    const output = (ceiling ? Math.ceil(positions) : Math.floor(positions)) + 1;
    if (!(positions >= 0)) throw new ImportError(`${describe(node)}: a window of ${extent} is larger than the padded image of ${input + pad + padAfter}`);
    // With ceil_mode a window that would begin beyond the image and its leading padding is left out.
    return { output: ceiling && (output - 1) * stride >= input + pad ? output - 1 : output, pad };
  };
  const vertical = axis(inputHeight, kernelHeight, strideY, dilationY, top, bottom);
  const horizontal = axis(inputWidth, kernelWidth, strideX, dilationX, left, right);
  return {
    inputHeight, inputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX,
    outputHeight: vertical.output, outputWidth: horizontal.output, padTop: vertical.pad, padLeft: horizontal.pad,
  };
}
