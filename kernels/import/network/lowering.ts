import type { ElementType } from '../../../deterministic-runtime/language/expression.ts';
import type { ProgramBuilder, Tensor } from '../../program-builder.ts';
import { rescaled } from '../../rescale.ts';
import { ImportError } from '../import-error.ts';
import { toRequantization } from '../requantization.ts';
import type { Activation } from './activation.ts';
import type { Ranges } from './calibrate.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { Network, Range } from './layer.ts';
import { WIDE_LIMIT, activationQuantization, quantizeTo, wideQuantization } from './quantization.ts';
import type { Quantization } from './quantization.ts';

/** How many bits a value has: eight as i8, sixteen as i32, or whole numbers of up to 32 bits that stay as they are. */
export type Precision = 8 | 16 | 'integer';

/** What a kernel has to write for a value. */
export interface Target {
  readonly element: ElementType;
  readonly quantization: Quantization;
  /** Zero point and the integers that results are cut to, as kernels take them. */
  readonly parameters: { readonly zeroPoint: number; readonly low: number; readonly high: number };
  readonly wide: boolean;
}

/** What the lowering of a layer needs: where to append operators, and what is known of values. */
export class Lowering {
  readonly builder: ProgramBuilder;
  readonly network: Network;
  readonly #ranges: Ranges;
  readonly #precisions: ReadonlyMap<string, 8 | 16>;
  readonly #values = new Map<string, Activation>();

  constructor(builder: ProgramBuilder, network: Network, ranges: Ranges, precisions: ReadonlyMap<string, 8 | 16>) {
    this.builder = builder;
    this.network = network;
    this.#ranges = ranges;
    this.#precisions = precisions;
  }

  /** Notes that a value is computed. */
  define(activation: Activation): void {
    this.#values.set(activation.name, activation);
  }

  /** A value that is computed. @throws ImportError when it is a constant or unknown. */
  activation(name: string): Activation {
    const activation = this.#values.get(name);
    if (activation === undefined) throw new ImportError(`the value ${name} is a constant where a computed one is needed`);
    return activation;
  }

  /** As `activation`, with 8 or 16 bits: whole numbers of more are brought to the scale of what they ranged over. */
  narrow(name: string): Activation {
    const activation = this.activation(name);
    if (activation.wide !== true) return activation;
    const range = this.#ranges.get(name);
    const small = activation.quantization.scale === 1 && activation.quantization.zeroPoint === 0 && range !== undefined && Math.max(-range.low, range.high) <= WIDE_LIMIT;
    const own = this.targetOf(name, 16);
    // Whole numbers that fit stay whole.
    return this.rescaled(activation, name, small ? { ...own, quantization: activation.quantization } : own);
  }

  /** A constant, or null where the value is computed. */
  constant(name: string): FloatTensor | null {
    return this.network.constants.get(name) ?? null;
  }

  /** All values computed so far, in their order. */
  get activations(): readonly Activation[] {
    return [...this.#values.values()];
  }

  /** How many bits a value has. */
  precision(value: string): Precision {
    return this.network.integers?.has(value) === true ? 'integer' : (this.#precisions.get(value) ?? 8);
  }

  /** What has to be written for a value, cut to `range`. */
  target(value: string, range: Range | null = null): Target {
    return this.targetOf(value, this.precision(value), range);
  }

  /** As `target`, with a precision of the caller's. */
  targetOf(value: string, precision: Precision, range: Range | null = null): Target {
    if (precision === 'integer') return target('i32', { scale: 1, zeroPoint: 0 }, range, -(2 ** 31), 2 ** 31 - 1, true);
    const quantization = this.quantizationOf(value, precision);
    return precision === 8 ? target('i8', quantization, range, -128, 127, false) : target('i32', quantization, range, -WIDE_LIMIT, WIDE_LIMIT, false);
  }

  /** As `target`, for a value that always lies between these, whatever it ranged over. */
  targetBetween(value: string, low: number, high: number): Target {
    return this.precision(value) === 8 ? target('i8', activationQuantization({ low, high }), null, -128, 127, false) : target('i32', wideQuantization({ low, high }), null, -WIDE_LIMIT, WIDE_LIMIT, false);
  }

  /** The scale and zero point for a value, from what it ranged over. */
  quantizationOf(value: string, precision: 8 | 16 = 8): Quantization {
    const range = this.#ranges.get(value);
    if (range === undefined) throw new RangeError(`nothing was calibrated for ${value}`);
    return precision === 8 ? activationQuantization(range.typical ?? range) : wideQuantization(range);
  }

  /** A value under another scale; itself where that is its own. */
  rescaled(activation: Activation, name: string, { element, quantization, parameters, wide }: Target): Activation {
    const { tensor } = activation;
    const own = activation.quantization;
    if (tensor.shape.element === element && own.scale === quantization.scale && own.zeroPoint === quantization.zeroPoint && activation.wide === wide) return activation;
    const moved: Tensor = this.builder.append(`${name}.rescaled`, {
      kernel: rescaled({ from: tensor.shape.element, to: element }),
      output: { ...tensor.shape, element },
      operands: [tensor],
      parameters: { ...toRequantization(own.scale / quantization.scale), xZero: own.zeroPoint, ...parameters },
    });
    return { ...activation, tensor: moved, quantization, wide };
  }
}

function target(element: ElementType, quantization: Quantization, range: Range | null, least: number, greatest: number, wide: boolean): Target {
  const [low, high] = range === null ? [least, greatest] : [range.low, range.high].map((value) => quantizeTo(value, quantization, least, greatest)) as [number, number];
  return { element, quantization, parameters: { zeroPoint: quantization.zeroPoint, low, high }, wide };
}
