import { pad } from '../../layout.ts';
import type { ProgramBuilder, Tensor } from '../../program-builder.ts';
import { bytesShape } from './activation.ts';
import type { Activation } from './activation.ts';
import type { Window } from './layer.ts';

/** The image with a border of its zero point, where the window reaches outside and 0 is not the zero point. */
export function withBorder(builder: ProgramBuilder, x: Activation, window: Window, name: string): { readonly tensor: Tensor; readonly window: Window } {
  const bottom = (window.outputHeight - 1) * window.strideY + (window.kernelHeight - 1) * window.dilationY + 1 - window.padTop;
  const right = (window.outputWidth - 1) * window.strideX + (window.kernelWidth - 1) * window.dilationX + 1 - window.padLeft;
  const inside = window.padTop === 0 && window.padLeft === 0 && bottom <= window.inputHeight && right <= window.inputWidth;
  if (inside || x.quantization.zeroPoint === 0) return { tensor: x.tensor, window };
  const inputHeight = window.padTop + Math.max(window.inputHeight, bottom);
  const inputWidth = window.padLeft + Math.max(window.inputWidth, right);
  const tensor = builder.append(`${name}.pad`, {
    kernel: pad,
    output: bytesShape(inputHeight * inputWidth, x.tensor.shape.columns),
    operands: [x.tensor],
    parameters: { height: window.inputHeight, width: window.inputWidth, outputWidth: inputWidth, top: window.padTop, left: window.padLeft, fill: x.quantization.zeroPoint },
  });
  return { tensor, window: { ...window, inputHeight, inputWidth, padTop: 0, padLeft: 0 } };
}

/** A window as kernels of one image take it. */
export function windowNumbers({ outputHeight: _, ...numbers }: Window): Record<string, number> {
  return { ...numbers };
}
