import { ImportError } from '../import-error.ts';
import { appendLstm } from '../quantized/lstm.ts';
import type { LstmGate } from '../quantized/lstm.ts';
import type { Factor } from '../quantized/network.ts';
import { quantizeMultiplier, reducedMultiplier } from './arithmetic.ts';
import { biasOf, weightsOf } from './convert-matrix.ts';
import { channelScales, describe, elementsOf, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { fixedTanhTable16, functionTable16, shiftedTanhTable16 } from './tables16.ts';

/* Operators with a state. Every run begins with a state of zero, as after `ResetVariableTensors`. */

/** Constant weights of bytes with one scale and no zero point. */
function plainWeights(conversion: Conversion, operator: TfliteOperator, position: number, dims: readonly number[]): IntegerTensor {
  const w = weightsOf(conversion, operator, position, 0, 2);
  if (w.dims.join() !== dims.join() || w.offset !== 0 || w.zeroPoint !== 0 || channelScales(w).length !== 1) throw new ImportError(`${describe(operator)}: its weights (input ${position}) are int8 [${dims.join(', ')}] with one scale and the zero point 0; these are ${w.tensor.type} [${w.dims.join(', ')}]`);
  return w;
}

/** Inputs of `UNIDIRECTIONAL_SEQUENCE_LSTM` that are not supported, by their numbers (tensorflow/lite/kernels/lstm_shared.h). */
const UNSUPPORTED: readonly (readonly [positions: readonly number[], what: string])[] = [
  [[9, 10, 11], 'peephole weights'], [[16, 17], 'a projection'], [[20, 21, 22, 23], 'layer normalisation'],
];

/**
 * `UNIDIRECTIONAL_SEQUENCE_LSTM` of int8 or int16 with 8-bit weights and a cell of 16 bits. With the rounding `float32` as TensorFlow Lite on CPUs has it (`PopulateQuantizedLstmParams8x8_16`
 * of tensorflow/lite/kernels/unidirectional_sequence_lstm.cc, lstm_eval.cc), else, and for int16, as microcontrollers (tensorflow/lite/micro/kernels/lstm_eval.cc).
 */
export function convertLstm(conversion: Conversion, operator: TfliteOperator): void {
  for (const [positions, what] of UNSUPPORTED) if (positions.some((position) => (operator.inputs[position] ?? -1) >= 0)) throw new ImportError(`${describe(operator)}: ${what} is not supported`);
  if ((operator.inputs[1] ?? -1) < 0) throw new ImportError(`${describe(operator)}: an input gate that is coupled to the forget gate is not supported`);
  if ((operator.options?.int8(0, 0) ?? 0) !== 4) throw new ImportError(`${describe(operator)}: its activation is the hyperbolic tangent`);
  const x = conversion.input(operator, 0);
  const [state, cell] = [conversion.state(operator, 18), conversion.state(operator, 19)];
  const y = conversion.output(operator);
  if (x.type === 'int32' || x.offset !== 0 || y.type !== x.type || state.type !== x.type || cell.type !== 'int16' || cell.zeroPoint !== 0 || x.dims.length !== 3) throw new ImportError(`${describe(operator)}: of ${x.tensor.type} [${x.dims.join(', ')}] with a cell of ${cell.tensor.type} it is not supported; int8 or int16 [time, batch, inputs] with a cell of int16 is`);
  if (state.scale !== y.scale || state.zeroPoint !== y.zeroPoint) throw new ImportError(`${describe(operator)}: its state has another scale than its output`);
  const timeMajor = operator.options?.boolean(3, false) ?? false;
  const [first = 1, second = 1, inputs = 1] = x.dims;
  const [steps, batch] = timeMajor ? [first, second] : [second, first];
  const hidden = y.dims.at(-1) ?? 1;
  if (y.dims.join() !== [first, second, hidden].join()) throw new ImportError(`${describe(operator)}: an output of [${y.dims.join(', ')}] for [${x.dims.join(', ')}]`);
  const power = Math.round(Math.log2(cell.scale));
  if (!(Math.abs(Math.log2(cell.scale) - power) < 1e-3 && power <= -9 && power >= -15)) throw new ImportError(`${describe(operator)}: a cell's scale of ${cell.scale}; it is a power of two, 2^-15 … 2^-9`);
  const gateFactor = (scale: number): Factor => (x.type === 'int16' ? reducedMultiplier(scale) : quantizeMultiplier(scale));
  const gate = (index: number): LstmGate => {
    const [w, r] = [plainWeights(conversion, operator, 1 + index, [hidden, inputs]), plainWeights(conversion, operator, 5 + index, [hidden, hidden])];
    return {
      inputWeights: elementsOf(w.tensor), recurrentWeights: elementsOf(r.tensor), bias: biasOf(conversion, operator, 12 + index, hidden) ?? new Array<number>(hidden).fill(0),
      inputFactor: gateFactor((w.scale * x.scale) / 2 ** -12), recurrentFactor: gateFactor((r.scale * state.scale) / 2 ** -12),
    };
  };
  const clip = operator.options?.float32(1, 0) ?? 0;
  const optimized = conversion.rounding === 'float32' && x.type === 'int8';
  appendLstm(conversion, {
    name: y.name, x: x.name, output: y.name, timeMajor, batch, steps, inputs, hidden, type: x.type, xZero: x.zeroPoint, hiddenZero: y.zeroPoint,
    gates: { input: gate(0), forget: gate(1), cell: gate(2), output: gate(3) },
    forgetToCell: optimized ? { multiplier: 1, shift: 15 } : quantizeMultiplier(2 ** -15), inputToCell: optimized ? { multiplier: 1, shift: 30 + power } : quantizeMultiplier(2 ** (-30 - power)),
    powers: optimized, clip: clip > 0 ? Math.trunc(Math.min(Math.max(clip / cell.scale, -32768), 32767)) : 32767,
    stage: stageOf(operator, 'twice', [2 ** -30 / y.scale], y, 0, false),
    tables: {
      sigmoid: functionTable16('logistic', 2 ** -12, optimized), tanh: functionTable16('tanh', 2 ** -12, optimized),
      cellTanh: optimized ? fixedTanhTable16(15 + power) : shiftedTanhTable16(12 + power),
    },
  });
}

/** `SVDF` of int8 with a state of 16 bits (`EvalIntegerSVDF`, tensorflow/lite/kernels/internal/reference/svdf.h). */
export function convertSvdf(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const [filters = 1, memory = 1] = conversion.model.tensors[operator.inputs[2] ?? -1]?.dims ?? [];
  const [batch = 1, inputs = 1] = x.dims;
  const features = plainWeights(conversion, operator, 1, [filters, inputs]);
  const time = conversion.input(operator, 2);
  const state = conversion.state(operator, 4);
  const rank = operator.options?.int32(0, 0) ?? 0;
  const units = filters / rank;
  const y = conversion.output(operator);
  if (x.type !== 'int8' || x.offset !== 0 || y.type !== 'int8' || y.offset !== 0 || state.type === 'int32' || state.zeroPoint !== 0) throw new ImportError(`${describe(operator)}: of ${x.tensor.type} with a state of ${state.tensor.type} it is not supported; int8 with a state of int16 is`);
  if ((operator.options?.int8(1, 0) ?? 0) !== 1) throw new ImportError(`${describe(operator)}: its activation is RELU`);
  if (time.tensor.data === null || time.zeroPoint !== 0 || !Number.isInteger(units) || units < 1 || x.dims.length !== 2 || y.dims.join() !== [batch, units].join()) throw new ImportError(`${describe(operator)}: ${filters} filters of rank ${rank} of [${x.dims.join(', ')}] do not give [${y.dims.join(', ')}]`);
  if (state.dims.reduce((product, dim) => product * dim, 1) !== batch * filters * memory) throw new ImportError(`${describe(operator)}: a state of [${state.dims.join(', ')}] for ${filters} filters of ${memory} places`);
  const bias = biasOf(conversion, operator, 3, units) ?? new Array<number>(units).fill(0);
  const value = (dims: readonly number[], data: Int16Array | null = null): string => conversion.addValue({ dims, type: 'int16', quantization: null, data });
  const [newest, before, after] = [value([batch, filters]), value([batch, filters * memory], new Int16Array(batch * filters * memory)), value([batch, filters * memory])];
  const [low, high] = state.type === 'int16' ? [-32768, 32767] : [-128, 127];
  const { multiplier, shift } = quantizeMultiplier((x.scale * features.scale) / state.scale);
  conversion.append({
    kind: 'linear', name: `${y.name}.features`, x: x.name, output: newest, weights: features.name, weightZero: 0, xZero: x.zeroPoint, bias: null,
    stage: { multipliers: [multiplier], shifts: [shift], rounding: 'twice', zeroPoint: 0, low, high },
  });
  conversion.append({ kind: 'shift-state', name: `${y.name}.state`, state: before, newest, output: after, memory });
  conversion.append({ kind: 'filter-sums', name: y.name, state: after, weights: time.name, bias, rank, output: y.name, stage: stageOf(operator, 'twice', [(state.scale * time.scale) / y.scale], y, 0, false) });
}
