import { add, multiply } from '../../../elementwise.ts';
import { lookupPairs } from '../../../lookup-pairs.ts';
import { lookup } from '../../../lookup.ts';
import { concatenated, expanded } from '../../../movement.ts';
import type { Tensor } from '../../../program-builder.ts';
import { windowSums } from '../../../window-sums.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape, imageSize, rowsShape, toImage, toRows, withShape } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { windowNumbers } from '../../network/window-operands.ts';
import { lowerProduct } from './lower-product.ts';
import type { Target } from './lower-product.ts';
import type { QuantizedConversion, ScaleAndZero } from './quantized-conversion.ts';
import { requantizeExactly } from './requantize-exactly.ts';
import { cut, roundHalfEven } from './rounding.ts';
import type { StepFunction } from './rounding.ts';
import type { Integers, Joined, Mean, Pair, Real } from './value.ts';

/**
 * `QuantizeLinear`: the integers for a value, exactly, `saturate(halfEven(value / scale) + zeroPoint)`. The layer that gives the value and its
 * quantisation become one operator.
 *
 * @throws ImportError where the value is a float that the program does not have.
 */
export function quantize(conversion: QuantizedConversion, name: string, value: Real, to: ScaleAndZero): Integers {
  const quantization = { scale: to.scale, zeroPoint: to.zeroPoint };
  const integers = (activation: Activation): Integers => ({ kind: 'integers', activation: { ...activation, name, quantization }, unsigned: to.unsigned });
  const { value: bare, low, high, functions } = withoutCuts(value, to);
  const target: Target = { ...quantization, low, high };
  if (bare.kind === 'dequantized') return integers(mapBytes(conversion, name, bare.activation, functions, to));
  if (bare.kind !== 'joined' && !functions.every(({ range }) => range !== null)) {
    throw new ImportError(`${name}: a function other than a cut follows a ${bare.kind} without a quantisation in between; quantise the model around it`);
  }
  switch (bare.kind) {
    case 'product':
      return integers({ name, dims: bare.dims, quantization, ...lowerProduct(conversion, { ...bare, name }, target) });
    case 'pair':
      return integers(lowerPair(conversion, { ...bare, name }, target));
    case 'mean':
      return integers(lowerMean(conversion, { ...bare, name }, target));
    case 'joined': {
      const parts = bare.parts.map((part, index) => mapBytes(conversion, `${name}.part${index}`, part, functions, to));
      return integers(join(conversion, { ...bare, name, parts }));
    }
    case 'float-input':
      if (functions.length > 0) throw new ImportError(`${name}: the model computes with its float input before it quantises it`);
      conversion.quantizeInput({ ...to, name: bare.name });
      return integers(inputActivation(conversion, name, bare.dims));
    default:
      throw new ImportError(`${name}: a ${bare.kind} is quantised while the model runs; fold constants before importing`);
  }
}

/** The program's input as it lies there: one row, or the pixels of an image. */
export function inputActivation({ builder }: QuantizedConversion, name: string, dims: readonly number[]): Activation {
  return { name, tensor: withShape(builder, `${name}.input`, builder.input, rowsShape(dims)), dims, layout: { kind: 'rows' }, quantization: { scale: 1, zeroPoint: 0 } };
}

/** Values of one scale, one after another. */
export function join({ builder }: QuantizedConversion, { name, dims, parts, axis }: Joined): Activation {
  const rows = parts.map((part) => toRows(builder, part));
  return { name, dims, tensor: concatenated(builder, name, rows, axis), layout: { kind: 'rows' }, quantization: rows[0]?.quantization ?? { scale: 1, zeroPoint: 0 } };
}

interface Step { readonly apply: (x: number) => number; readonly range: { readonly low: number; readonly high: number } | null }

/** The value under functions of each element, with what cuts among them come to in integers: quantising never decreases, so it commutes with a cut. */
function withoutCuts(value: Real, to: ScaleAndZero): { readonly value: Real; readonly low: number; readonly high: number; readonly functions: readonly Step[] } {
  let [low, high] = [-128, 127];
  const functions: Step[] = [];
  let inner = value;
  while (inner.kind === 'mapped') {
    functions.unshift(inner);
    if (inner.range !== null) {
      const ends = [inner.range.low, inner.range.high].map((end) => quantizeNumber(end, to));
      low = cut(low, ends[0] ?? -128, ends[1] ?? 127);
      high = cut(high, ends[0] ?? -128, ends[1] ?? 127);
    }
    inner = inner.x;
  }
  return { value: inner, low, high, functions };
}

/** `saturate(halfEven(value / scale) + zeroPoint)`, the division in single precision, as ONNX's `QuantizeLinear` has it. */
export function quantizeNumber(value: number, { scale, zeroPoint }: Pick<ScaleAndZero, 'scale' | 'zeroPoint'>): number {
  const quotient = Math.fround(Math.fround(value) / Math.fround(scale));
  return cut(roundHalfEven(cut(quotient, -1024, 1024)) + zeroPoint, -128, 127);
}

/** A function of one byte: `DequantizeLinear`, what follows it, and `QuantizeLinear`, computed in single precision for all 256 of them. */
function mapBytes({ builder }: QuantizedConversion, name: string, x: Activation, functions: readonly Step[], to: ScaleAndZero): Activation {
  const { scale, zeroPoint } = x.quantization;
  const table = new Int8Array(256);
  for (let byte = -128; byte < 128; byte += 1) {
    const real = functions.reduce((value, { apply }) => Math.fround(apply(value)), Math.fround((byte - zeroPoint) * Math.fround(scale)));
    table[byte & 255] = quantizeNumber(real, to);
  }
  if (table.every((value, index) => value === (index << 24) >> 24)) return x;
  return { ...x, tensor: builder.append(name, { kernel: lookup, output: x.tensor.shape, operands: [x.tensor, builder.bytes(1, 256, table)] }) };
}

/** Sum, difference or product of two bytes. What an operator of the program gives was compared for all 65,536 pairs, else they are looked up. */
function lowerPair({ builder }: QuantizedConversion, { name, a, b, dims, operator }: Pair, target: Target): Activation {
  const { scale, zeroPoint, low, high } = target;
  const [aScale, bScale] = [Math.fround(a.quantization.scale), Math.fround(b.quantization.scale)];
  const [aZero, bZero] = [a.quantization.zeroPoint, b.quantization.zeroPoint];
  const real = { add: (x: number, y: number) => aScale * x + bScale * y, subtract: (x: number, y: number) => aScale * x - bScale * y, multiply: (x: number, y: number) => aScale * x * (bScale * y) }[operator];
  const wanted = (x: number, y: number): number => cut(roundHalfEven(cut(real(x - aZero, y - bZero) / Math.fround(scale), -1024, 1024)) + zeroPoint, low, high);

  const lies = placed(builder, name, a, b, dims);
  const result = { name, dims, layout: lies.layout, quantization: { scale, zeroPoint } };
  const output = lies.a.shape;
  const form = arithmetic(operator, { aScale, bScale, aZero, bZero }, target);
  if (form !== null && everyPair((x, y) => form.apply(x, y) === wanted(x, y))) {
    return { ...result, tensor: builder.append(name, { kernel: form.kernel, output, operands: [lies.a, lies.b], parameters: form.parameters }) };
  }
  const table = new Int8Array(65536);
  everyPair((x, y) => {
    table[(x + 128) * 256 + y + 128] = wanted(x, y);
    return true;
  });
  return { ...result, tensor: builder.append(name, { kernel: lookupPairs, output, operands: [lies.a, lies.b, builder.bytes(256, 256, table)] }) };
}

function everyPair(holds: (x: number, y: number) => boolean): boolean {
  for (let x = -128; x < 128; x += 1) for (let y = -128; y < 128; y += 1) if (!holds(x, y)) return false;
  return true;
}

interface Scales { readonly aScale: number; readonly bScale: number; readonly aZero: number; readonly bZero: number }

/** The kernel that computes a pair with one rounding, and the same in numbers; null where its parameters do not fit. */
function arithmetic(operator: Pair['operator'], { aScale, bScale, aZero, bZero }: Scales, { scale, zeroPoint, low, high }: Target) {
  const factors = operator === 'multiply' ? [(aScale * bScale) / scale] : [aScale / scale, bScale / scale];
  const greatest = Math.max(...factors);
  const shift = Math.min(40, 29 - Math.floor(Math.log2(greatest)));
  if (shift < 1) return null;
  const [first = 0, second = 0] = factors.map((factor) => Math.round(factor * 2 ** shift));
  const half = 1n << BigInt(shift - 1);
  const finish = (product: bigint): number => cut(Number((product + half) >> BigInt(shift)) + zeroPoint, low, high);
  const ends = { zeroPoint, low, high, shift, aZero, bZero };
  if (operator === 'multiply') {
    return { kernel: multiply, parameters: { ...ends, multiplier: first }, apply: (x: number, y: number) => finish(BigInt((x - aZero) * (y - bZero)) * BigInt(first)) };
  }
  const bMultiplier = operator === 'add' ? second : -second;
  return {
    kernel: add,
    parameters: { ...ends, aMultiplier: first, bMultiplier },
    apply: (x: number, y: number) => finish(BigInt((x - aZero) * first + (y - bZero) * bMultiplier)),
  };
}

/** Both operands in one layout, the second one repeated where the kernels do not do that. */
function placed(builder: QuantizedConversion['builder'], name: string, a: Activation, b: Activation, dims: readonly number[]): { readonly a: Tensor; readonly b: Tensor; readonly layout: Activation['layout'] } {
  const same = (activation: Activation): boolean => activation.dims.length === dims.length && activation.dims.every((dim, axis) => dim === dims[axis]);
  if (same(a) && same(b) && a.layout.kind === 'image' && b.layout.kind === 'image') return { a: a.tensor, b: b.tensor, layout: a.layout };
  if (same(a) && same(b) && (a.layout.kind === 'image' || b.layout.kind === 'image')) return { a: toImage(builder, a).tensor, b: toImage(builder, b).tensor, layout: { kind: 'image' } };
  // One number a channel lies beside an image as it is.
  if (same(a) && a.layout.kind === 'image' && elementCount(b.dims) === imageSize(dims, name).channels && b.dims.at(-3) === dims[1]) {
    const channels = elementCount(b.dims);
    return { a: a.tensor, b: withShape(builder, `${name}.channels`, toRows(builder, b).tensor, bytesShape(1, channels)), layout: a.layout };
  }
  const wide = (activation: Activation, what: string): Tensor => {
    const rows = toRows(builder, activation);
    const natural = withShape(builder, `${name}.${what}.rows`, rows.tensor, rowsShape(rows.dims));
    return same(activation) ? natural : expanded(builder, `${name}.${what}`, natural, rows.dims, dims);
  };
  return { a: wide(a, 'a'), b: wide(b, 'b'), layout: { kind: 'rows' } };
}

/** A mean over windows of one size: the sum is one of integers, and the mean a rational number that is rounded half to even. */
function lowerMean({ builder }: QuantizedConversion, { name, x: value, dims, window, countPadding }: Mean, target: Target): Activation {
  const x = toImage(builder, value);
  const { channels } = imageSize(x.dims, name);
  const taps = window.kernelHeight * window.kernelWidth;
  const inside = window.padTop === 0 && window.padLeft === 0
    && (window.outputHeight - 1) * window.strideY + (window.kernelHeight - 1) * window.dilationY < window.inputHeight
    && (window.outputWidth - 1) * window.strideX + (window.kernelWidth - 1) * window.dilationX < window.inputWidth;
  if (!inside && !countPadding) throw new ImportError(`${name}: a mean over windows of several sizes is not supported: use windows inside the image, or count_include_pad`);
  const { zeroPoint } = x.quantization;
  const sums = builder.append(`${name}.sums`, {
    kernel: windowSums,
    output: { element: 'i32', rows: window.outputHeight * window.outputWidth, columns: channels },
    operands: [x.tensor],
    parameters: { ...windowNumbers(window), xZero: zeroPoint },
  });
  const ratio = exactRatio(x.quantization.scale, target.scale, taps);
  const steps: StepFunction = {
    arithmetic: 'exact',
    apply: (sum) => halfEvenRatio(BigInt(sum) * ratio.numerator, ratio.denominator),
    slope: x.quantization.scale / (target.scale * taps),
    leastSum: taps * Math.min(0, -128 - zeroPoint),
    greatestSum: taps * Math.max(0, 127 - zeroPoint),
    low: target.low - target.zeroPoint,
    high: target.high - target.zeroPoint,
  };
  const tensor = requantizeExactly(builder, name, sums, new Array<StepFunction>(channels).fill(steps), target);
  return { name, tensor, dims, layout: { kind: 'image' }, quantization: target };
}

/** `x / (y · count)` for single-precision numbers, as a fraction. */
function exactRatio(x: number, y: number, count: number): { readonly numerator: bigint; readonly denominator: bigint } {
  const scaled = (value: number): bigint => BigInt(Math.fround(value) * 2 ** 149);
  return { numerator: scaled(x), denominator: scaled(y) * BigInt(count) };
}

/** `numerator / denominator` to the nearest integer, halves to even. */
function halfEvenRatio(numerator: bigint, denominator: bigint): number {
  const doubled = 2n * numerator + denominator;
  const floor = doubled / (2n * denominator) - (doubled % (2n * denominator) < 0n ? 1n : 0n);
  const tie = doubled === floor * 2n * denominator;
  return Number(tie && floor % 2n !== 0n ? floor - 1n : floor);
}
