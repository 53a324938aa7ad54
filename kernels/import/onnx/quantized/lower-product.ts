import { convolution, depthwiseConvolution } from '../../../convolution.ts';
import { convolutionSums, depthwiseConvolutionSums } from '../../../convolution-sums.ts';
import { addSums } from '../../../add-sums.ts';
import { linear, linearSums } from '../../../linear.ts';
import { patches } from '../../../patches.ts';
import type { Tensor } from '../../../program-builder.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape, imageSize, toImage, toRows, withShape } from '../../network/activation.ts';
import type { Layout } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { rearrange } from '../../network/rearrange.ts';
import { windowNumbers, withBorder } from '../../network/window-operands.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';
import { requantizeExactly } from './requantize-exactly.ts';
import { fitHalfUp, roundHalfEven } from './rounding.ts';
import type { StepFunction } from './rounding.ts';
import type { Product } from './value.ts';

/** Below so many channels an image's words are mostly padding, and patches followed by a linear layer are cheaper. */
const CHANNELS_FOR_DIRECT = 32;

/** What a product is quantised to. `low` and `high` as the program holds integers, the zero point included. */
export interface Target { readonly scale: number; readonly zeroPoint: number; readonly low: number; readonly high: number }

/** How the rows of a product's operand and its weights lie, and which kernels multiply them. */
type Form = 'linear' | 'convolution' | 'depthwise';

/**
 * Appends a product whose sums are brought to bytes as onnxruntime does (`QLinearConv`, `QLinearMatMul`, `QGemm`): the sum of integers times one
 * single-precision factor, `(xScale · wScale) / yScale` computed in single precision, halves to even.
 */
export function lowerProduct(conversion: QuantizedConversion, product: Product, target: Target): { readonly tensor: Tensor; readonly layout: Layout } {
  const { builder } = conversion;
  const plan = planSums(conversion, product);
  const steps = channelSteps(product, target);
  const [weights, ...more] = plan.weights;
  const fits = more.length === 0 ? steps.map(fitHalfUp) : [];
  const { zeroPoint, low, high } = target;
  const outputs = product.scales.length;
  if (weights !== undefined && fits.length === outputs && fits.every((fit) => fit !== null)) {
    const scale = builder.integers(2, outputs, Int32Array.from([...fits.map((fit) => fit.multiplier), ...fits.map((fit) => fit.shift)]));
    const kernel = { linear, convolution, depthwise: depthwiseConvolution }[plan.form];
    const tensor = builder.append(product.name, { kernel, output: plan.output, operands: [plan.x, weights, plan.bias, scale], parameters: { ...plan.window, zeroPoint, low, high } });
    return { tensor, layout: plan.layout };
  }
  const sums = appendSums(conversion, product.name, plan);
  return { tensor: requantizeExactly(builder, product.name, sums, steps, target), layout: plan.layout };
}

/** Appends a product and leaves its sums as they are, i32 (`ConvInteger`, `MatMulInteger`). */
export function lowerSums(conversion: QuantizedConversion, product: Product): { readonly tensor: Tensor; readonly layout: Layout } {
  const plan = planSums(conversion, product);
  return { tensor: appendSums(conversion, product.name, plan), layout: plan.layout };
}

interface Plan {
  readonly form: Form;
  readonly x: Tensor;
  /** One tensor of bytes, or several that are added. */
  readonly weights: readonly Tensor[];

  readonly bias: Tensor;
  readonly window: Readonly<Record<string, number>>;
  readonly output: ReturnType<typeof bytesShape>;
  readonly layout: Layout;
}

function appendSums({ builder }: QuantizedConversion, name: string, { form, x, weights, bias, window, output }: Plan): Tensor {
  const kernel = { linear: linearSums, convolution: convolutionSums, depthwise: depthwiseConvolutionSums }[form];
  const wide = { ...output, element: 'i32' as const };
  const none = weights.length > 1 ? builder.integers(1, output.columns, new Int32Array(output.columns)) : bias;
  return weights
    .map((plane, index) => builder.append(`${name}.sums${index === 0 ? '' : index}`, { kernel, output: wide, operands: [x, plane, index === 0 ? bias : none], parameters: window }))
    .reduce((total, sums, index) => builder.append(`${name}.total${index}`, { kernel: addSums, output: wide, operands: [total, sums] }));
}

function planSums(conversion: QuantizedConversion, product: Product): Plan {
  const { builder } = conversion;
  const { weights, scales, groups, window, name } = product;
  const outputs = scales.length;
  const perOutput = weights.length / outputs;
  const bias = builder.integers(1, outputs, Int32Array.from(biases(product)));
  const place = (rows: number, columns: number, sizes: readonly number[], steps: readonly number[]): { readonly weights: readonly Tensor[] } => ({ weights: planes(weights).map((plane) => builder.bytes(rows, columns, rearrange(plane, sizes, steps))) });

  if (window === null) {
    const rows = toRows(builder, product.x);
    const columns = rows.dims.at(-1) ?? 1;
    const x = withShape(builder, `${name}.rows`, rows.tensor, bytesShape(elementCount(rows.dims) / columns, columns));
    return { form: 'linear', x, ...place(outputs, perOutput, [outputs, perOutput], [perOutput, 1]), bias, window: {}, output: bytesShape(x.shape.rows, outputs), layout: { kind: 'rows' } };
  }

  const x = toImage(builder, product.x);
  const { channels } = imageSize(x.dims, name);
  const taps = window.kernelHeight * window.kernelWidth;
  const output = bytesShape(window.outputHeight * window.outputWidth, outputs);
  const base = { bias, output, layout: { kind: 'image' } as const };
  if (groups === 1 && channels < CHANNELS_FOR_DIRECT) {
    const rows = builder.append(`${name}.patches`, {
      kernel: patches,
      output: bytesShape(output.rows, taps * channels),
      operands: [x.tensor],
      parameters: { ...windowNumbers(window), fill: x.quantization.zeroPoint },
    });
    return { ...base, form: 'linear', x: rows, ...place(outputs, taps * channels, [outputs, taps, channels], [perOutput, 1, taps]), window: {} };
  }
  const inside = withBorder(builder, x, window, name);
  if (groups === 1) {
    return { ...base, form: 'convolution', x: inside.tensor, ...place(outputs * taps, channels, [outputs, taps, channels], [perOutput, 1, taps]), window: windowNumbers(inside.window) };
  }
  if (groups === channels && outputs === channels) {
    return { ...base, form: 'depthwise', x: inside.tensor, ...place(taps, channels, [taps, channels], [1, taps]), window: windowNumbers(inside.window) };
  }
  return planSums(conversion, ungrouped(product, channels));
}

/** Weights that a convolution in groups may have when it is done as one without, with zeros between the groups. */
const MAXIMUM_UNGROUPED_WEIGHTS = 2 ** 26;

/** The same convolution in one group. @throws ImportError when that takes too many weights. */
function ungrouped(product: Product, channels: number): Product {
  const { weights, scales, groups, name } = product;
  const outputs = scales.length;
  const perOutput = weights.length / outputs;
  const wide = perOutput * groups;
  if (outputs * wide > MAXIMUM_UNGROUPED_WEIGHTS) throw new ImportError(`${name}: a convolution of ${channels} channels to ${outputs} in ${groups} groups is too large to be done as one in 1 group`);
  const dense = new Int16Array(outputs * wide);
  for (let output = 0; output < outputs; output += 1) {
    const group = Math.floor((output * groups) / outputs);
    dense.set(weights.subarray(output * perOutput, (output + 1) * perOutput), output * wide + group * perOutput);
  }
  return { ...product, weights: dense, groups: 1 };
}

/** Weights −255 … 255 as bytes that add up to them: one tensor where they fit, else two or, for 255, three. */
function planes(weights: Int16Array): Int8Array[] {
  const rest = weights.slice();
  const found: Int8Array[] = [];
  do {
    const plane = Int8Array.from(rest, (weight) => Math.max(-128, Math.min(127, weight)));
    found.push(plane);
    plane.forEach((weight, index) => { rest[index] = (rest[index] ?? 0) - weight; });
  } while (rest.some((weight) => weight !== 0));
  return found;
}

/** Biases with x's zero point in them: `bias[c] − zero · Σ weights[c]`. */
function biases({ weights, scales, bias, x, name }: Product): number[] {
  const perOutput = weights.length / scales.length;
  return scales.map((_, channel) => {
    const total = weights.subarray(channel * perOutput, (channel + 1) * perOutput).reduce((sum, weight) => sum + weight, 0);
    const value = (bias[channel] ?? 0) - x.quantization.zeroPoint * total;
    if (Math.abs(value) >= 2 ** 31) throw new ImportError(`${name}: the bias of channel ${channel} does not fit 32 bits`);
    return value;
  });
}

/** For each channel: how its sums become bytes, and between what they lie for any input. */
export function channelSteps(product: Product, target: Target): StepFunction[] {
  const { weights, scales, bias, x, name } = product;
  const perOutput = weights.length / scales.length;
  const { zeroPoint } = x.quantization;
  const xScale = Math.fround(x.quantization.scale);
  return scales.map((scale, channel) => {
    let [leastSum, greatestSum] = [bias[channel] ?? 0, bias[channel] ?? 0];
    for (let index = channel * perOutput; index < (channel + 1) * perOutput; index += 1) {
      const weight = weights[index] ?? 0;
      const [a, b] = [weight * (-128 - zeroPoint), weight * (127 - zeroPoint)];
      leastSum += Math.min(a, b);
      greatestSum += Math.max(a, b);
    }
    if (leastSum < -(2 ** 31) || greatestSum >= 2 ** 31) throw new ImportError(`${name}: the sums of channel ${channel} may leave 32 bits`);
    const slope = Math.fround(Math.fround(xScale * Math.fround(scale)) / Math.fround(target.scale));
    return {
      arithmetic: 'single-precision',
      apply: (sum) => roundHalfEven(Math.fround(Math.fround(sum) * slope)),
      slope,
      leastSum,
      greatestSum,
      low: target.low - target.zeroPoint,
      high: target.high - target.zeroPoint,
    };
  });
}
