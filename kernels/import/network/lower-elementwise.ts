import { chosen, compared, greater, lesser, logical, product, quotient, weightedSum } from '../../arithmetic.ts';
import { add, clamp, multiply } from '../../elementwise.ts';
import type { Kernel } from '../../../deterministic-runtime/language/kernel.ts';
import type { Tensor } from '../../program-builder.ts';
import { remainder } from '../../remainder.ts';
import { clamped } from '../../rescale.ts';
import { toRequantization, toShortRequantization } from '../requantization.ts';
import { lyingDims, rowsShape } from './activation.ts';
import type { Activation } from './activation.ts';
import { alignOperands } from './broadcast.ts';
import type { BroadcastOperand } from './broadcast.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { BinaryLayer, BinaryOperation, ClampLayer, OperationLayer, Range, SelectLayer } from './layer.ts';
import type { Lowering, Target } from './lowering.ts';
import { quantizeTo } from './quantization.ts';
import type { Quantization } from './quantization.ts';

/** Fraction bits of a sum's multipliers, and the bits that the greater of them may have. */
const SUM_SHIFT = 20;
const MULTIPLIER_BITS = 30;

/** Constants further out than this many steps of the result (masks of attention) are cut: the result is at its bound either way. */
const REACH = 2 ** 18;
const REACHING: ReadonlySet<string> = new Set(['add', 'subtract', 'minimum', 'maximum']);

interface BinaryParts {
  readonly name: string;
  readonly output: string;
  readonly x: string;
  readonly b: string;
  readonly operation: BinaryOperation | 'add' | 'multiply';
  readonly range: Range | null;
}

/** Appends a sum or a product. */
export function lowerBinary(lowering: Lowering, layer: BinaryLayer): Activation {
  const dims = dimsOf(lowering.network, layer.output);
  const constant = lowering.constant(layer.b);
  const factor = constant !== null && elementCount(constant.dims) === 1 ? (constant.data[0] ?? 0) : 0;
  const integer = lowering.precision(layer.output) === 'integer';
  if (layer.kind === 'multiply' && factor > 0 && layer.range === null && !integer && lowering.constant(layer.x) === null) {
    // A positive factor changes what the integers stand for, not the integers.
    const first = lowering.narrow(layer.x);
    if (elementCount(dims) === elementCount(first.dims) && dims.length === first.dims.length) return { ...first, name: layer.output, quantization: { ...first.quantization, scale: first.quantization.scale * factor } };
  }
  return lowerOperands(lowering, { ...layer, operation: layer.kind });
}

/** Appends another operation of two values. */
export const lowerOperation = (lowering: Lowering, layer: OperationLayer): Activation => lowerOperands(lowering, { ...layer, range: null });

function lowerOperands(lowering: Lowering, parts: BinaryParts): Activation {
  const dims = dimsOf(lowering.network, parts.output);
  const precision = lowering.precision(parts.output);
  const compares = parts.operation === 'equal' || parts.operation === 'less' || parts.operation === 'less-or-equal';
  const target = lowering.target(parts.output, parts.range);
  const { layout, operands } = alignOperands(lowering, [parts.x, parts.b], dims, compares ? constantPrecision(lowering, [parts.x, parts.b]) : precision, REACHING.has(parts.operation) && !target.wide ? target.quantization.scale * REACH : Infinity);
  const [a, b] = operands as [BroadcastOperand, BroadcastOperand];
  const { kernel, parameters, element } = kernelFor(parts.operation, a, b, target, dims, layout);
  const shape = rowsShape(lyingDims({ kind: layout }, dims), element);
  const tensor = lowering.builder.append(parts.name, { kernel, output: shape, operands: [a.tensor, b.tensor], parameters });
  const truth = element === 'i8' && target.element === 'i32' && target.wide;
  return { name: parts.output, tensor, dims, layout: { kind: layout }, quantization: truth ? { scale: 1, zeroPoint: 0 } : target.quantization, ...(target.wide && !truth ? { wide: true } : {}) };
}

/** Constants that are compared with whole numbers stay whole. */
const constantPrecision = (lowering: Lowering, names: readonly string[]): 'integer' | 16 =>
  names.some((name) => lowering.constant(name) === null && lowering.activation(name).quantization.scale === 1) ? 'integer' : 16;

interface Chosen { readonly kernel: Kernel; readonly parameters: Readonly<Record<string, number>>; readonly element: 'i8' | 'i32' }

function kernelFor(operation: BinaryParts['operation'], a: BroadcastOperand, b: BroadcastOperand, target: Target, dims: readonly number[], layout: 'rows' | 'image'): Chosen {
  const [left, right] = [a.tensor.shape.element, b.tensor.shape.element];
  const form = { a: left, b: right, output: target.element };
  const { scale } = target.quantization;
  const zeros = { aDivide: a.divide, bDivide: b.divide, aZero: a.quantization.zeroPoint, bZero: b.quantization.zeroPoint };
  const [own, other] = [a.quantization.scale / scale, b.quantization.scale / scale];
  const whole = (kernel: Kernel, parameters: Readonly<Record<string, number>>): Chosen => ({ kernel, parameters: { ...zeros, ...parameters, ...target.parameters }, element: target.element });
  const bytes = left === 'i8' && right === 'i8' && target.element === 'i8';
  const simple = bytes && a.divide === 1 && rowsShape(lyingDims({ kind: layout }, dims)).rows === a.tensor.shape.rows && rowsShape(lyingDims({ kind: layout }, dims)).columns === a.tensor.shape.columns && (b.tensor.shape.rows === 1 || b.divide === 1 && b.tensor.shape.rows === a.tensor.shape.rows);
  const { aZero, bZero } = zeros;
  switch (operation) {
    case 'add':
      if (simple) return { kernel: add, parameters: { aZero, bZero, ...target.parameters, ...sumScales(a.quantization, b.quantization, target.quantization, 1) }, element: 'i8' };
      return whole(weightedSum(form), sumScales(a.quantization, b.quantization, target.quantization, 1));
    case 'subtract': return whole(weightedSum(form), sumScales(a.quantization, b.quantization, target.quantization, -1));
    case 'multiply': {
      const factor = toRequantization(Math.min((a.quantization.scale * b.quantization.scale) / scale, 2 ** 29));
      if (simple) return { kernel: multiply, parameters: { aZero, bZero, ...target.parameters, ...factor }, element: 'i8' };
      return whole(product(form), { ...factor });
    }
    case 'divide': {
      const { multiplier, shift } = toShortRequantization(own / b.quantization.scale, MULTIPLIER_BITS);
      return whole(quotient(form), { multiplier, shift });
    }
    case 'modulo':
    case 'remainder': {
      // Both on the finer scale, which is exact where scales are powers of two; whole numbers stay as they are.
      const finest = Math.min(a.quantization.scale, b.quantization.scale);
      const multiplier = (value: number): number => Math.min(2 ** MULTIPLIER_BITS, Math.round(value / finest));
      const last = target.wide ? { multiplier: 2, shift: 1 } : toRequantization(Math.min(finest / scale, 2 ** 29));
      const sides = { aMultiplier: multiplier(a.quantization.scale), bMultiplier: multiplier(b.quantization.scale) };
      return whole(remainder({ ...form, sign: operation === 'modulo' ? 'divisor' : 'dividend' }), { ...sides, multiplier: last.multiplier, shift: last.shift });
    }
    case 'minimum':
    case 'maximum': {
      const [first, second] = [toRequantization(own), toRequantization(other)];
      return whole((operation === 'minimum' ? lesser : greater)(form), { aMultiplier: first.multiplier, aShift: first.shift, bMultiplier: second.multiplier, bShift: second.shift });
    }
    case 'equal':
    case 'less':
    case 'less-or-equal': {
      const greatest = Math.max(a.quantization.scale, b.quantization.scale);
      const multiplier = (value: number): number => Math.max(1, Math.round((value / greatest) * 2 ** MULTIPLIER_BITS));
      const parameters = { ...zeros, aMultiplier: multiplier(a.quantization.scale), bMultiplier: multiplier(b.quantization.scale) };
      return { kernel: compared({ a: left, b: right, comparison: operation }), parameters, element: 'i8' };
    }
    case 'and':
    case 'or':
    case 'xor':
      return { kernel: logical({ a: left, b: right, operator: operation }), parameters: { aDivide: a.divide, bDivide: b.divide }, element: 'i8' };
  }
}

function sumScales(a: Quantization, b: Quantization, result: Quantization, sign: 1 | -1): { aMultiplier: number; bMultiplier: number; shift: number } {
  const greater = Math.max(a.scale, b.scale) / result.scale;
  const shift = Math.max(1, Math.min(SUM_SHIFT, MULTIPLIER_BITS - Math.ceil(Math.log2(greater))));
  const multiplier = (scale: number): number => Math.min(2 ** 31 - 1, Math.round((scale / result.scale) * 2 ** shift));
  return { aMultiplier: multiplier(a.scale), bMultiplier: sign * multiplier(b.scale), shift };
}

/** Appends a choice between two values. */
export function lowerSelect(lowering: Lowering, layer: SelectLayer): Activation {
  const dims = dimsOf(lowering.network, layer.output);
  const target = lowering.target(layer.output);
  const { layout, operands } = alignOperands(lowering, [layer.x, layer.a, layer.b], dims, lowering.precision(layer.output), target.wide ? Infinity : target.quantization.scale * REACH);
  const [condition, a, b] = operands as [BroadcastOperand, BroadcastOperand, BroadcastOperand];
  const factor = ({ quantization }: BroadcastOperand): { readonly multiplier: number; readonly shift: number } => toRequantization(Math.min(quantization.scale / target.quantization.scale, 2 ** 29));
  const [first, second] = [factor(a), factor(b)];
  const tensor = lowering.builder.append(layer.name, {
    kernel: chosen({ condition: condition.tensor.shape.element, a: a.tensor.shape.element, b: b.tensor.shape.element, output: target.element }),
    output: rowsShape(lyingDims({ kind: layout }, dims), target.element),
    operands: [condition.tensor, a.tensor, b.tensor],
    parameters: {
      conditionDivide: condition.divide, aDivide: a.divide, bDivide: b.divide, aZero: a.quantization.zeroPoint, bZero: b.quantization.zeroPoint,
      aMultiplier: first.multiplier, aShift: first.shift, bMultiplier: second.multiplier, bShift: second.shift, ...target.parameters,
    },
  });
  return { name: layer.output, tensor, dims, layout: { kind: layout }, quantization: target.quantization, wide: target.wide };
}

/** Appends a clamp; its result has its input's scale and zero point. */
export function lowerClamp(lowering: Lowering, layer: ClampLayer): Activation {
  const x = lowering.activation(layer.x);
  const { element } = x.tensor.shape;
  const [least, greatest] = element === 'i8' ? [-128, 127] : [-(2 ** 31), 2 ** 31 - 1];
  const [low, high] = [layer.range.low, layer.range.high].map((value) => quantizeTo(value, x.quantization, least, greatest)) as [number, number];
  const kernel = element === 'i8' ? clamp : clamped(element);
  const tensor: Tensor = lowering.builder.append(layer.name, { kernel, output: x.tensor.shape, operands: [x.tensor], parameters: { low, high } });
  return { ...x, name: layer.output, dims: dimsOf(lowering.network, layer.output), tensor };
}

