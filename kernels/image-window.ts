import type { ByteOperand } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/**
 * How a window moves over an image whose pixel (y, x) is row `y · width + x`: what convolution, patches and pooling share.
 * The output pixel (Y, X) sees, at tap (ky, kx), the input pixel
 * `(Y · strideY − padTop + ky · dilationY, X · strideX − padLeft + kx · dilationX)`.
 */
export const windowParameters = [
  'inputHeight', 'inputWidth', 'outputWidth', 'kernelHeight', 'kernelWidth',
  'strideY', 'strideX', 'dilationY', 'dilationX', 'padTop', 'padLeft',
] as const;

export type WindowParameter = (typeof windowParameters)[number];
type WindowParameters = { readonly [K in WindowParameter]: I32 };

/** A tap of a window: which row of the input it falls on, and whether that is inside the image (1 or 0). */
export interface Tap { readonly row: I32; readonly inside: I32 }

/** Where tap (ky, kx) of the window of output pixel `row` falls. */
export function tapAt(parameters: WindowParameters, row: I32, ky: I32, kx: I32): Tap {
  const { inputHeight, inputWidth, outputWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft } = parameters;
  const y = row.div(outputWidth).mul(strideY).sub(padTop).add(ky.mul(dilationY));
  const x = row.mod(outputWidth).mul(strideX).sub(padLeft).add(kx.mul(dilationX));
  const inside = int32(0).le(y).and(y.lt(inputHeight)).and(int32(0).le(x)).and(x.lt(inputWidth));
  return { row: y.mul(inputWidth).add(x), inside };
}

/** The tap's row, or −1, where every read is zero, outside the image. */
export const rowOrNone = (tap: Tap): I32 => tap.inside.select(tap.row, -1);

/** `Σ_ky Σ_kx Σ_c x[tap(ky,kx)][c] · w[(channel·kH + ky)·kW + kx][c]` for the window of output pixel `row`; taps outside the image count as zero. */
export function windowDot(parameters: WindowParameters, row: I32, channel: I32, x: ByteOperand, w: ByteOperand): I32 {
  const { kernelHeight, kernelWidth } = parameters;
  return sum(kernelHeight, (ky) =>
    sum(kernelWidth, (kx) => {
      const source = rowOrNone(tapAt(parameters, row, ky, kx));
      const weights = channel.mul(kernelHeight).add(ky).mul(kernelWidth).add(kx);
      return sum(x.words, (k) => dot32(x.word(source, k), w.word(weights, k)));
    }));
}

/** The same for a channel by itself: `Σ_ky Σ_kx x[tap(ky,kx)][channel] · w[ky·kW + kx][channel]`. */
export function depthwiseDot(parameters: WindowParameters, row: I32, channel: I32, x: ByteOperand, w: ByteOperand): I32 {
  const { kernelHeight, kernelWidth } = parameters;
  return sum(kernelHeight, (ky) => sum(kernelWidth, (kx) => x.at(rowOrNone(tapAt(parameters, row, ky, kx)), channel).mul(w.at(ky.mul(kernelWidth).add(kx), channel))));
}
