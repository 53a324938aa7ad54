import type { TensorShape } from '../../../deterministic-runtime/program/tensor.ts';
import { rowMajorShape } from '../../movement.ts';
import type { ProgramBuilder, Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import type { IntegerType, OutputStage, QuantizedNetwork, QuantizedValue } from './network.ts';

/** Element type of the program's tensors for a value. */
export const elementOf = (type: IntegerType): TensorShape['element'] => (type === 'int8' ? 'i8' : 'i32');

/** What the lowering of an operation needs: where to append operators, and what is computed already. A value's tensor holds its elements in row-major order, its last dimension as columns. */
export class QuantizedLowering {
  readonly builder: ProgramBuilder;
  readonly network: QuantizedNetwork;
  readonly #tensors = new Map<string, Tensor>();
  readonly #shared = new Map<object, Tensor>();

  constructor(builder: ProgramBuilder, network: QuantizedNetwork) {
    this.builder = builder;
    this.network = network;
  }

  /** @throws ImportError when the network has no such value. */
  value(name: string): QuantizedValue {
    const value = this.network.values.get(name);
    if (value === undefined) throw new ImportError(`the network has no value ${name}`);
    return value;
  }

  define(name: string, tensor: Tensor): void {
    this.#tensors.set(name, tensor);
  }

  /** The tensor of a value; a constant is added to the program when it is first read. @throws ImportError when it is not computed yet. */
  tensor(name: string): Tensor {
    const known = this.#tensors.get(name);
    if (known !== undefined) return known;
    const { dims, type, data } = this.value(name);
    if (data === null) throw new ImportError(`the value ${name} is read before it is computed`);
    const { rows, columns } = rowMajorShape(elementOf(type), dims);
    const tensor = type === 'int8' ? this.builder.bytes(rows, columns, Int8Array.from(data)) : this.builder.integers(rows, columns, Int32Array.from(data));
    this.define(name, tensor);
    return tensor;
  }

  /** A constant's elements. @throws ImportError when the value is computed. */
  constant(name: string, operation: string): QuantizedValue & { readonly data: NonNullable<QuantizedValue['data']> } {
    const value = this.value(name);
    if (value.data === null) throw new ImportError(`${operation}: ${name} is computed where a constant is needed`);
    return { ...value, data: value.data };
  }

  /** A row of integers as a constant; one for all operations that give the same array. */
  shared(row: Int32Array): Tensor {
    return this.sharedBy(row, () => this.builder.integers(1, row.length, row));
  }

  /** What `make` gives, made once for each `key`. */
  sharedBy(key: object, make: () => Tensor): Tensor {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const tensor = make();
    this.#shared.set(key, tensor);
    return tensor;
  }

  /** Rows and columns of a value. */
  shapeOf(name: string): TensorShape {
    const { dims, type } = this.value(name);
    return rowMajorShape(elementOf(type), dims);
  }

  /** Computed values with their tensors, in the order in which they were computed. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors;
  }
}

/** Multipliers and shifts of `channels` columns, as a `requantization` operand. */
export function factorRows({ multipliers, shifts }: OutputStage, channels: number): Int32Array {
  const each = (values: readonly number[]): number[] => Array.from({ length: channels }, (_, channel) => (values.length === 1 ? values[0] : values[channel]) ?? 0);
  return Int32Array.from([...each(multipliers), ...each(shifts)]);
}

/** Kernel parameters of an output stage. */
export const stageParameters = ({ zeroPoint, low, high }: OutputStage): { zeroPoint: number; low: number; high: number } => ({ zeroPoint, low, high });

/** The one factor of a stage that has the same for all channels. */
export const singleFactor = ({ multipliers, shifts }: OutputStage): { multiplier: number; shift: number } => ({ multiplier: multipliers[0] ?? 0, shift: shifts[0] ?? 1 });
