import { ImportError } from '../import-error.ts';
import { awayFromZero } from './arithmetic.ts';
import { hyperbolicTangent, logistic } from './gemmlowp.ts';

/* Functions of 16-bit numbers as TensorFlow Lite has them: with tables, between whose entries they go in straight lines. */

/** Entries of the table below that are one more than the nearest integer. */
const RAISED: ReadonlySet<number> = new Set([
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
]);

/** `65536 / (1 + exp(−i / 24))`, some of them raised so that lines between them are nearer to the curve (`sigmoid_table_uint16`, tensorflow/lite/kernels/internal/common.cc). */
const SIGMOID: readonly number[] = Array.from({ length: 256 }, (_, i) => Math.round(65536 / (1 + Math.exp(-i / 24))) + (RAISED.has(i) ? 1 : 0));

export type Function16 = 'logistic' | 'tanh';

/** How a scale is brought to 1/4096 (`left` more bits) or to 1/12288 (`multiplier / 2^shift`). */
type Preparation = { readonly left: number } | { readonly multiplier: number; readonly shift: number };

/** `SigmoidPrepare`, `TanhPrepare` (tensorflow/lite/kernels/activations.cc). */
function prepare(f: Function16, scale: number): Preparation {
  const log2 = Math.log2(scale);
  const left = 12 + Math.round(log2);
  if (Math.abs(log2 - Math.round(log2)) < 1e-3 && (left === 0 || (f === 'tanh' && left === 1))) return { left };
  let [multiplier, shift] = [scale * 4096 * 3, 0];
  for (; multiplier <= 32767 / 2 && shift <= 30; shift += 1) multiplier *= 2;
  return { multiplier: Math.trunc(multiplier), shift };
}

/** The table's lines: tensorflow/lite/kernels/internal/reference/integer_ops/{logistic,tanh}.h. `x` counts in 1/12288. */
function onLines(f: Function16, x: number): number {
  const bits = f === 'logistic' ? 9 : 8;
  const size = Math.abs(x);
  const place = Math.floor(size / 2 ** bits);
  const [from = 0, to = 0] = [SIGMOID[place], SIGMOID[place + 1]];
  if (f === 'logistic') {
    const result = place >= 255 ? 0x7fff * 2 ** 10 : from * 2 ** 9 + (size % 2 ** 9) * (to - from);
    return Math.floor((x >= 0 ? result + 2 ** 9 : 2 ** 25 - result + 2 ** 9 - 1) / 2 ** 10);
  }
  const result = (place >= 255 ? 0xffff * 2 ** 8 : from * 2 ** 8 + (size % 2 ** 8) * (to - from)) - 2 ** 23;
  return Math.floor((x >= 0 ? result + 2 ** 7 : -result + 2 ** 7 - 1) / 2 ** 8);
}

const made = new Map<string, Int32Array>();

/**
 * All results of a function of 16-bit numbers of a scale, with 15 bits behind the point: entry `x + 2^15` for x. The same array for the same arguments.
 *
 * @param optimized Follow TensorFlow Lite's kernels for CPUs, which compute scales of a power of two in gemmlowp's fixed point, instead of the reference kernels.
 * @throws ImportError for a scale that is not positive, or more than 2.
 */
export function functionTable16(f: Function16, scale: number, optimized: boolean): Int32Array {
  if (!(scale > 0 && scale <= 2)) throw new ImportError(`a scale of ${scale} for 16-bit numbers`);
  const preparation = prepare(f, scale);
  const key = JSON.stringify([f, preparation, optimized]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const table = Int32Array.from({ length: 2 ** 16 }, (_, index) => {
    const x = index - 2 ** 15;
    if (!('left' in preparation)) {
      const { multiplier, shift } = preparation;
      return onLines(f, Math.floor((x * multiplier + (shift > 0 ? 2 ** (shift - 1) : 0)) / 2 ** shift));
    }
    const shifted = x * 2 ** preparation.left;
    if (!optimized) return onLines(f, 3 * shifted);
    const cut = Math.max(-32768, Math.min(32767, shifted));
    return f === 'logistic' ? logistic(16, cut, 3) : hyperbolicTangent(16, cut, 3);
  });
  made.set(key, table);
  return table;
}

/**
 * The hyperbolic tangent of all 16-bit numbers of the scale `2^(left − 12)`, as the LSTM of microcontrollers has it: exact thirds of 1/4096 are rounded where `left` is negative
 * (tensorflow/lite/micro/kernels/lstm_eval.cc, `Tanh`). @throws ImportError unless −12 ≤ left ≤ 3.
 */
export function shiftedTanhTable16(left: number): Int32Array {
  if (!(Number.isInteger(left) && left >= -12 && left <= 3)) throw new ImportError(`a cell's scale of 2^${left - 12}; it is 2^-24 … 2^-9`);
  return Int32Array.from({ length: 2 ** 16 }, (_, index) => {
    const x = 3 * (index - 2 ** 15);
    return onLines('tanh', left >= 0 ? x * 2 ** left : Math.floor((x + 2 ** (-left - 1)) / 2 ** -left));
  });
}

const fixed = new Map<number, Int32Array>();

/** The hyperbolic tangent of all 16-bit numbers with `integerBits` bits before the point, in gemmlowp's fixed point; 15 bits behind the point. */
export function fixedTanhTable16(integerBits: number): Int32Array {
  const table = fixed.get(integerBits) ?? Int32Array.from({ length: 2 ** 16 }, (_, index) => hyperbolicTangent(16, index - 2 ** 15, integerBits));
  fixed.set(integerBits, table);
  return table;
}

/**
 * 513 entries of a function on [least, most] with 15 bits behind the point, for lines between them; each lowered by half the error in the middle of its line.
 *
 * `doubles` follows `gen_lut` of TensorFlow Lite for CPUs (tensorflow/lite/kernels/internal/common.h up to 2.10), else `LUTPopulateInt16` in single precision, which microcontrollers use.
 */
export function lines16(f: (x: number) => number, least: number, most: number, doubles: boolean): Int32Array {
  const precise = doubles ? (x: number) => x : Math.fround;
  const [low, high] = doubles ? [least, most] : edges(least, most);
  const unit = doubles ? 2 ** 15 : precise(65536 / precise(precise(precise(2 / 65535) * 32767) - precise(precise(2 / 65535) * -32768)));
  const step = precise(precise(high - low) / 512);
  const half = precise(step / 2);
  const at = (x: number): number => precise(precise(f(precise(x))) * unit);
  const cut = (value: number): number => Math.max(-32768, Math.min(32767, value));
  return Int32Array.from({ length: 513 }, (_, index) => {
    const start = precise(low + precise(index * step));
    const sample = awayFromZero(at(start));
    if (index === 512) return cut(awayFromZero(at(high)));
    const between = awayFromZero(precise(precise(at(precise(low + precise((index + 1) * step))) + sample) / 2));
    return cut(sample - awayFromZero((between - awayFromZero(at(precise(start + half)))) / 2));
  });
}

/** The ends of the range in single precision: 65,535 steps from a zero point at one end. */
function edges(least: number, most: number): readonly [number, number] {
  const scale = Math.fround(Math.fround(most - least) / 65535);
  return least < 0 ? [Math.fround(scale * -65535), 0] : [0, Math.fround(scale * 65535)];
}
