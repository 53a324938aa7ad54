import { ImportError } from '../import-error.ts';
import type { Window } from '../network/layer.ts';
import { describe } from './conversion.ts';
import type { IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

/** What a file says of a window: `padding` 0 is SAME, 1 is VALID (schema.fbs, `Padding`). */
export interface WindowOptions {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly padding: number;
}

/** Height and width of an image's dimensions. @throws ImportError when it is no image. */
export function imageSize(operator: TfliteOperator, { dims, name }: IntegerTensor): { readonly batch: number; readonly height: number; readonly width: number; readonly channels: number } {
  const [batch = 0, height = 0, width = 0, channels = 0] = dims;
  if (dims.length !== 4) throw new ImportError(`${describe(operator)}: ${name} has the dimensions [${dims.join(', ')}]; an image has four`);
  return { batch, height, width, channels };
}

/**
 * How an operator's window moves over x, to give an output of the size that the file says (`ComputePaddingHeightWidth`, tensorflow/lite/kernels/padding.h: with SAME the
 * odd pixel of a border is on the far side).
 *
 * @throws ImportError when strides or sizes are not 1 and more, or the output's size does not follow.
 */
export function windowOf(operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, options: WindowOptions): Window {
  const input = imageSize(operator, x);
  const output = imageSize(operator, y);
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padding } = options;
  if (input.batch !== output.batch) throw new ImportError(`${describe(operator)} makes ${output.batch} images of ${input.batch}`);
  const axis = (what: string, size: number, taps: number, stride: number, dilation: number, given: number): number => {
    if (![taps, stride, dilation].every((value) => value >= 1 && value < 2 ** 20)) throw new ImportError(`${describe(operator)}: a window of ${taps} with stride ${stride} and dilation ${dilation}; all are 1 and more`);
    const extent = (taps - 1) * dilation + 1;
    const expected = padding === 0 ? Math.ceil(size / stride) : Math.floor((size - extent) / stride) + 1;
    if (padding > 1 || expected !== given || expected < 1) throw new ImportError(`${describe(operator)}: an output of ${what} ${given} does not follow from an input of ${size}, a window of ${extent} and stride ${stride}`);
    return padding === 0 ? Math.floor(Math.max(0, (given - 1) * stride + extent - size) / 2) : 0;
  };
  return {
    inputHeight: input.height, inputWidth: input.width, outputHeight: output.height, outputWidth: output.width,
    kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX,
    padTop: axis('height', input.height, kernelHeight, strideY, dilationY, output.height),
    padLeft: axis('width', input.width, kernelWidth, strideX, dilationX, output.width),
  };
}
