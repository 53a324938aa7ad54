import { quantizeMultiplier } from './arithmetic.ts';
import { divideByPower, roundingHigh } from './gemmlowp.ts';

const saturate = (value: number): number => Math.min(32767, Math.max(-32768, value));

/** A factor as a multiplier of 16 bits and a left shift (`DownScaleInt32ToInt16Multiplier`, tensorflow/lite/kernels/internal/common.h). */
function shortFactor(factor: number): { readonly multiplier: number; readonly left: number } {
  const { multiplier, shift } = quantizeMultiplier(factor);
  const most = 2 ** 31 - 1;
  return { multiplier: Math.floor((multiplier >= most - 2 ** 15 ? most : multiplier + 2 ** 15) / 2 ** 16), left: 31 - shift };
}

/** gemmlowp's `SaturatingDoublingHighMul` of 16 bits: without rounding. */
function high(a: number, b: number): number {
  return a === -32768 && b === -32768 ? 32767 : Math.trunc((a * b) / 2 ** 15);
}

/**
 * `x · relu6(x + 3) / 6` in the fixed point of TensorFlow Lite's reference kernel (tensorflow/lite/kernels/internal/reference/hard_swish.h): a function from an integer less its zero point to
 * the output's integer less its.
 */
export function hardSwish(inputScale: number, outputScale: number): (value: number) => number {
  // Inputs get seven bits more; relu6(x + 3) / 6 is a number of 15 bits.
  const fine = Math.fround(inputScale / 128);
  const output = shortFactor(Math.fround(fine / outputScale));
  const reluish = shortFactor(Math.fround(fine / Math.fround(3 / 32768)));
  return (value) => {
    const detailed = value * 128;
    const scaled = roundingHigh(16, detailed, output.multiplier);
    let gate = detailed;
    if (reluish.left > 0) gate = saturate(gate * 2 ** (reluish.left - 1));
    gate = roundingHigh(16, gate, reluish.multiplier);
    if (reluish.left > 0) gate = saturate(gate * 2);
    if (reluish.left < 0) gate = divideByPower(gate, -reluish.left);
    gate = Math.floor((gate + 2 ** 15) / 2);
    return divideByPower(high(gate, scaled), -output.left);
  };
}
