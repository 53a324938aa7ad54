import { ImportError } from '../import-error.ts';
import type { IntegerType, OutputStage, QuantizedOperation, QuantizedValue, Rounding, Scale } from '../quantized/network.ts';
import { activationRange, quantizeMultiplier, reducedMultiplier, singlePrecisionFactor } from './arithmetic.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './decode.ts';

/** A tensor as the network has it: unsigned bytes less 128. */
export interface IntegerTensor {
  readonly tensor: TfliteTensor;
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: IntegerType;
  /** What is added to the network's integers to have the file's: 128 for unsigned bytes. */
  readonly offset: number;
  readonly scale: number;
  readonly zeroPoint: number;
}

const RANGES: Readonly<Record<IntegerType, readonly [number, number]>> = { int8: [-128, 127], int16: [-32768, 32767], int32: [-(2 ** 31), 2 ** 31 - 1] };

/** How an operator is called in messages. */
export const describe = ({ index, operator }: TfliteOperator): string => `operator ${index} (${operator})`;

/** What converting operators needs and what comes of it. */
export class Conversion {
  readonly model: TfliteModel;
  /** How sums are rounded: see `TfliteImportOptions`. */
  readonly rounding: Rounding;
  readonly values = new Map<string, QuantizedValue>();
  readonly operations: QuantizedOperation[] = [];
  readonly #computed = new Set<number>();
  readonly #read = new Set<number>();
  #added = 0;

  constructor(model: TfliteModel, rounding: Rounding) {
    this.model = model;
    this.rounding = rounding;
  }

  /** The tensor that an operator names as its input number `position`. @throws ImportError when it is left out, or computed nowhere. */
  input(operator: TfliteOperator, position: number): IntegerTensor {
    const tensor = this.optional(operator, position);
    if (tensor === null) throw new ImportError(`${describe(operator)} lacks its input ${position}`);
    return tensor;
  }

  /** As `input`, or null where the input is left out. */
  optional(operator: TfliteOperator, position: number): IntegerTensor | null {
    const tensor = this.model.tensors[operator.inputs[position] ?? -1];
    if (tensor === undefined) return null;
    if (tensor.variable) throw new ImportError(`${describe(operator)} reads tensor ${tensor.index} (${tensor.name}), which is a variable; a state is supported in LSTM and SVDF only`);
    if (tensor.data === null && !this.#computed.has(tensor.index)) throw new ImportError(`${describe(operator)} reads tensor ${tensor.index} (${tensor.name}) before it is computed`);
    this.#read.add(tensor.index);
    return this.#define(tensor, describe(operator));
  }

  /** The state that an operator keeps. @throws ImportError when its input number `position` is no variable. */
  state(operator: TfliteOperator, position: number): IntegerTensor {
    const tensor = this.model.tensors[operator.inputs[position] ?? -1];
    if (tensor === undefined || !tensor.variable) throw new ImportError(`${describe(operator)}: its input ${position} is its state, a variable`);
    return this.#define(tensor, describe(operator));
  }

  /** True where an operator reads tensor `index`, or it is an output of the model. */
  isRead(index: number): boolean {
    return this.#read.has(index);
  }

  /** The tensor that an operator writes as its output number `position`; it counts as computed from now on. @throws ImportError when it is a constant or written twice. */
  output(operator: TfliteOperator, position = 0): IntegerTensor {
    const tensor = this.model.tensors[operator.outputs[position] ?? -1];
    if (tensor === undefined) throw new ImportError(`${describe(operator)} lacks its output ${position}`);
    return this.compute(tensor, describe(operator));
  }

  /** Notes that a tensor is computed. */
  compute(tensor: TfliteTensor, what: string): IntegerTensor {
    if (tensor.data !== null || this.#computed.has(tensor.index)) throw new ImportError(`${what} writes tensor ${tensor.index} (${tensor.name}), which is a constant or written already`);
    this.#computed.add(tensor.index);
    return this.#define(tensor, what);
  }

  /** The model's output. @throws ImportError when nothing computes it. */
  result(index: number): IntegerTensor {
    const tensor = this.model.tensors[index];
    if (tensor === undefined || !this.#computed.has(index)) throw new ImportError(`the model's output, tensor ${index} (${tensor?.name ?? ''}), is computed by no operator`);
    this.#read.add(index);
    return this.#define(tensor, 'the model\'s output');
  }

  /** Adds an operation. */
  append(operation: QuantizedOperation): void {
    this.operations.push(operation);
  }

  /** Adds a value of the network that the file does not have, and gives its name. */
  addValue(value: Omit<QuantizedValue, 'data'> & Partial<Pick<QuantizedValue, 'data'>>): string {
    this.#added += 1;
    const name = `added ${this.#added}`;
    this.values.set(name, { data: null, ...value });
    return name;
  }

  /** Constant integers of an operator's input: shapes, axes, indices. @throws ImportError when they are computed. */
  integers(operator: TfliteOperator, position: number): number[] {
    const tensor = this.model.tensors[operator.inputs[position] ?? -1];
    if (tensor === undefined) throw new ImportError(`${describe(operator)} lacks its input ${position}`);
    if (tensor.data === null) throw new ImportError(`${describe(operator)}: input ${position} (${tensor.name}) is computed; constants are supported there`);
    return elementsOf(tensor);
  }

  /** Dimensions that an operator's input gives, or those that the file gives its output where they are computed. */
  dimsGiven(operator: TfliteOperator, position: number, otherwise: readonly number[]): readonly number[] {
    return this.model.tensors[operator.inputs[position] ?? -1]?.data === null ? otherwise : this.integers(operator, position);
  }

  #define(tensor: TfliteTensor, what: string): IntegerTensor {
    const { type, offset } = integerType(tensor, what);
    const { scales, zeroPoints } = tensor.quantization ?? { scales: [1], zeroPoints: [0] };
    const name = tensor.name === '' || this.#isAmbiguous(tensor) ? `tensor ${tensor.index}` : tensor.name;
    const result = { tensor, name, dims: tensor.dims, type, offset, scale: scales[0] ?? 1, zeroPoint: (zeroPoints[0] ?? 0) - offset };
    // A scale of 0 is one that was never set; weights have it for channels of zeros.
    if (['int8', 'uint8', 'int16'].includes(tensor.type) && (tensor.quantization === null || (tensor.data === null && result.scale === 0))) throw new ImportError(`${what}: tensor ${tensor.index} (${tensor.name}) has no scale; the model has to be quantised to integers`);
    if (tensor.dims.includes(0)) throw new ImportError(`${what}: tensor ${tensor.index} (${tensor.name}) has the dimensions [${tensor.dims.join(', ')}]; none may be 0`);
    if (!this.values.has(name)) {
      const data = tensor.data === null ? null : typed(type, elementsOf(tensor).map((element) => element - offset));
      this.values.set(name, { dims: tensor.dims, type, quantization: tensor.quantization === null ? null : { scale: result.scale, zeroPoint: result.zeroPoint }, data });
    }
    return result;
  }

  readonly #names = new Map<string, number>();

  /** Names need not be unique in the file. */
  #isAmbiguous({ name, index }: TfliteTensor): boolean {
    const first = this.#names.get(name) ?? index;
    this.#names.set(name, first);
    return first !== index;
  }
}

const typed = (type: IntegerType, elements: readonly number[]): Int8Array | Int16Array | Int32Array =>
  type === 'int8' ? Int8Array.from(elements) : type === 'int16' ? Int16Array.from(elements) : Int32Array.from(elements);

function integerType({ type, index, name }: TfliteTensor, what: string): { readonly type: IntegerType; readonly offset: number } {
  switch (type) {
    case 'uint8': return { type: 'int8', offset: 128 };
    case 'bool': return { type: 'int8', offset: 0 };
    case 'int64': return { type: 'int32', offset: 0 };
    case 'int8':
    case 'int16':
    case 'int32': return { type, offset: 0 };
    default: throw new ImportError(`${what}: tensor ${index} (${name}) has elements of type ${type}; the model has to be quantised to integers`);
  }
}

/** The elements of a constant. @throws ImportError for floats and what does not fit a double. */
export function elementsOf({ data, type, dims, index, name }: TfliteTensor): number[] {
  const bytes = data ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = dims.reduce((product, dim) => product * dim, 1);
  const read = {
    int8: (at: number) => view.getInt8(at),
    uint8: (at: number) => view.getUint8(at),
    bool: (at: number) => (view.getUint8(at) === 0 ? 0 : 1),
    int16: (at: number) => view.getInt16(2 * at, true),
    int32: (at: number) => view.getInt32(4 * at, true),
    int64: (at: number) => Number(view.getBigInt64(8 * at, true)),
    int4: null,
    float32: null,
    other: null,
  }[type];
  if (read === null) throw new ImportError(`tensor ${index} (${name}) has elements of type ${type} where integers are needed`);
  return Array.from({ length: data === null ? 0 : count }, (_, at) => read(at));
}

/** Scales and zero points of a constant's channels along its last or first axis. */
export const channelScales = ({ tensor }: IntegerTensor): readonly number[] => tensor.quantization?.scales ?? [1];

/** @throws ImportError for a fused activation that is not supported. */
export function fusedRange(operator: TfliteOperator, code: number, output: IntegerTensor): { readonly low: number; readonly high: number } {
  const range = activationRange(code, output as Scale, RANGES[output.type]);
  if (range === null) throw new ImportError(`${describe(operator)}: its fused activation (${code}) is not supported`);
  return range;
}

/** @throws ImportError when the output's dimensions are not what the operator gives. */
export function requireDims(operator: TfliteOperator, y: IntegerTensor, expected: readonly number[]): void {
  if (y.dims.join() !== expected.join()) throw new ImportError(`${describe(operator)}: its output has the dimensions [${y.dims.join(', ')}]; what it computes has [${expected.join(', ')}]`);
}

/**
 * How sums become the output. Sums of 16-bit products have 64 bits, one rounding, and multipliers of 15 bits; `wideSums` is false for what has 32-bit sums in the reference
 * kernels whatever the output's type.
 *
 * @throws RangeError for factors that no multiplier stands for.
 */
export function stageOf(operator: TfliteOperator, rounding: Rounding, factors: readonly number[], output: IntegerTensor, activation: number, wideSums = output.type === 'int16'): OutputStage {
  const convert = wideSums ? reducedMultiplier : rounding === 'float32' && output.type !== 'int16' ? singlePrecisionFactor : quantizeMultiplier;
  const integers = factors.map(convert);
  return {
    multipliers: integers.map(({ multiplier }) => multiplier),
    shifts: integers.map(({ shift }) => shift),
    rounding: wideSums ? 'once' : output.type === 'int16' && rounding === 'float32' ? 'twice' : rounding,
    zeroPoint: output.zeroPoint,
    ...fusedRange(operator, activation, output),
  };
}
