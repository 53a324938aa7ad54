import type { ProgramBuilder } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import type { Activation } from './activation.ts';
import type { Ranges } from './calibrate.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { Network, Range } from './layer.ts';
import { activationQuantization, quantizeValue } from './quantization.ts';
import type { Quantization } from './quantization.ts';

/** What the lowering of a layer needs: where to append operators, and what is known of values. */
export class Lowering {
  readonly builder: ProgramBuilder;
  readonly network: Network;
  readonly #ranges: Ranges;
  readonly #values = new Map<string, Activation>();

  constructor(builder: ProgramBuilder, network: Network, ranges: Ranges) {
    this.builder = builder;
    this.network = network;
    this.#ranges = ranges;
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

  /** A constant, or null where the value is computed. */
  constant(name: string): FloatTensor | null {
    return this.network.constants.get(name) ?? null;
  }

  /** All values computed so far, in their order. */
  get activations(): readonly Activation[] {
    return [...this.#values.values()];
  }

  /** The scale and zero point for a value, from what it ranged over. */
  quantizationOf(value: string): Quantization {
    const range = this.#ranges.get(value);
    if (range === undefined) throw new RangeError(`nothing was calibrated for ${value}`);
    return activationQuantization(range);
  }
}

/** Kernel parameters that put an output on its scale: its zero point, and the integers that a range is cut to. */
export function outputParameters(quantization: Quantization, range: Range | null): { zeroPoint: number; low: number; high: number } {
  return {
    zeroPoint: quantization.zeroPoint,
    low: range === null ? -128 : quantizeValue(range.low, quantization),
    high: range === null ? 127 : quantizeValue(range.high, quantization),
  };
}
