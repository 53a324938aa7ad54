import type { FloatTensor } from './float-tensor.ts';
import type { Range } from './layer.ts';

/** Integers `q` stand for `scale · (q − zeroPoint)`. */
export interface Quantization { readonly scale: number; readonly zeroPoint: number }

/** Activations: eight bits over the range, stretched so that it holds 0 and 0 is exact (padding and ReLU rely on it). */
export function activationQuantization({ low, high }: Range): Quantization {
  const least = Math.min(low, 0);
  const greatest = Math.max(high, 0);
  const scale = (greatest - least) / 255;
  if (!(scale > 0)) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(127, Math.max(-128, Math.round(-128 - least / scale))) };
}

/** The integer that stands for a real number, within eight bits. */
export const quantizeValue = (value: number, { scale, zeroPoint }: Quantization): number =>
  Math.min(127, Math.max(-128, Math.round(value / scale) + zeroPoint));

/** The greatest integer of sixteen bits whose high plane (kernels/planes.ts) is still a byte. */
export const WIDE_LIMIT = 2 ** 15 - 129;

/** Sixteen bits, symmetric about 0. The scale is a power of two, so that whole numbers and halves are exact where they fit: jumps of functions often lie there. */
export function wideQuantization({ low, high }: Range): Quantization {
  const greatest = Math.max(Math.abs(low), Math.abs(high));
  return { scale: greatest > 0 ? 2 ** Math.ceil(Math.log2(greatest / WIDE_LIMIT)) : 1, zeroPoint: 0 };
}

/** The integer that stands for a real number (which may be infinite), cut to these. */
export const quantizeTo = (value: number, { scale, zeroPoint }: Quantization, least: number, greatest: number): number =>
  Math.min(greatest, Math.max(least, Math.round(value / scale) + zeroPoint));

/** Weights −127…127, symmetric about 0, with a scale for each of the first dimension's entries (each output channel). */
export interface QuantizedWeights { readonly values: Int8Array; readonly scales: readonly number[] }

/** Steps of an accumulator that a bias may have: sums of products are added to it in 32 bits. */
const BIAS_STEPS = 2 ** 29;

/**
 * Quantises weights per output channel: a channel's scale is its greatest magnitude / 127, or more where the channel's bias would not fit an accumulator of that scale (trained networks have channels
 * that died, with weights of next to nothing).
 */
export function quantizeWeights({ dims, data }: FloatTensor, bias: Float32Array | null = null, inputScale = 1): QuantizedWeights {
  const [channels = 1] = dims;
  const perChannel = data.length / channels;
  const values = new Int8Array(data.length);
  const scales: number[] = [];
  for (let channel = 0; channel < channels; channel += 1) {
    let greatest = 0;
    for (let index = channel * perChannel; index < (channel + 1) * perChannel; index += 1) greatest = Math.max(greatest, Math.abs(data[index] ?? 0));
    const least = Math.max(greatest / 127, Math.abs(bias?.[channel] ?? 0) / (inputScale * BIAS_STEPS));
    const scale = least > 0 ? least : 1;
    scales.push(scale);
    for (let index = channel * perChannel; index < (channel + 1) * perChannel; index += 1) values[index] = Math.round((data[index] ?? 0) / scale);
  }
  return { values, scales };
}

/**
 * Biases as the accumulator's integers: `round(bias / (inputScale · weightScale)) − inputZero · Σ weights` for each channel.
 *
 * @throws RangeError when one does not fit 32 bits.
 */
export function quantizeBiases(bias: Float32Array | null, { values, scales }: QuantizedWeights, input: Quantization): Int32Array {
  const perChannel = values.length / scales.length;
  return Int32Array.from(scales, (scale, channel) => {
    const total = values.subarray(channel * perChannel, (channel + 1) * perChannel).reduce((sum, weight) => sum + weight, 0);
    const result = Math.round((bias?.[channel] ?? 0) / (input.scale * scale)) - input.zeroPoint * total;
    if (Math.abs(result) >= 2 ** 31) throw new RangeError(`a bias of ${bias?.[channel]} is out of proportion to the weights of its channel`);
    return result;
  });
}
