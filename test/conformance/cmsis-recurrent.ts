import { appendLstm } from '../../kernels/import/quantized/lstm.ts';
import type { LstmGate } from '../../kernels/import/quantized/lstm.ts';
import type { Factor, QuantizedOperation, QuantizedValue } from '../../kernels/import/quantized/network.ts';
import { functionTable16, shiftedTanhTable16 } from '../../kernels/import/tflite/tables16.ts';
import type { CmsisCase } from './cmsis-cases.ts';
import { typeOf } from './cmsis-networks.ts';
import type { CmsisRun } from './cmsis-networks.ts';

/* Cases of operators that keep state: LSTM over a sequence, SVDF called once for each part of its input. */

/** A network that grows by operations, from the input x to the output y. */
class Growing {
  readonly values = new Map<string, QuantizedValue>();
  readonly operations: QuantizedOperation[] = [];

  addValue(value: Omit<QuantizedValue, 'data'> & Partial<Pick<QuantizedValue, 'data'>>): string {
    const name = `v${this.values.size}`;
    this.values.set(name, { data: null, ...value });
    return name;
  }

  append(operation: QuantizedOperation): void {
    this.operations.push(operation);
  }

  run(x: string, y: string, input: readonly number[], expected: readonly number[]): CmsisRun {
    const border = (name: string) => {
      const type = this.values.get(name)?.type ?? 'int8';
      return { value: name, type, element: type, scale: 1, zeroPoint: 0 } as const;
    };
    return { network: { name: 'case', inputs: [border(x)], outputs: [border(y)], values: this.values, operations: this.operations }, input, expected };
  }
}

export function lstmRun(given: CmsisCase): CmsisRun {
  const growing = new Growing();
  const [batch, steps, inputs, hidden] = ['BATCH_SIZE', 'TIME_STEPS', 'INPUT_SIZE', 'HIDDEN_SIZE'].map((key) => given.number(key)) as [number, number, number, number];
  const timeMajor = given.isTrue('TIME_MAJOR');
  const type = typeOf(given.type('input_tensor')) === 'int16' ? 'int16' : 'int8';
  const factor = (name: string): Factor => ({ multiplier: given.number(`${name}_MULTIPLIER`), shift: 31 - given.number(`${name}_SHIFT`) });
  const narrow = ({ multiplier, shift }: Factor): Factor => (type === 'int8' ? { multiplier, shift } : { multiplier: multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff, shift: shift - 16 });
  const gate = (name: string): LstmGate => ({
    inputWeights: given.required(`${name}_gate_input_weights`), recurrentWeights: given.required(`${name}_gate_hidden_weights`), bias: given.required(`${name}_gate_bias`),
    inputFactor: narrow(factor(`${name.toUpperCase()}_GATE_INPUT`)), recurrentFactor: narrow(factor(`${name.toUpperCase()}_GATE_HIDDEN`)),
  });
  const input = given.required('input_tensor');
  const shape = (columns: number): number[] => (timeMajor ? [steps, batch, columns] : [batch, steps, columns]);
  const [x, y] = [inputs, hidden].map((columns) => growing.addValue({ dims: shape(columns), type, quantization: null })) as [string, string];
  const zero = given.number('OUTPUT_ZERO_POINT');
  const [low, high] = type === 'int8' ? [-128, 127] : [-32768, 32767];
  const { multiplier, shift } = factor('OUTPUT');
  appendLstm(growing, {
    name: 'lstm', x, output: y, timeMajor, batch, steps, inputs, hidden, type, xZero: -given.number('INPUT_ZERO_POINT'), hiddenZero: zero,
    gates: { input: gate('input'), forget: gate('forget'), cell: gate('cell'), output: gate('output') },
    forgetToCell: factor('FORGET_TO_CELL'), inputToCell: factor('INPUT_TO_CELL'), powers: false, clip: given.number('CELL_CLIP'),
    stage: { multipliers: [multiplier], shifts: [shift], rounding: 'twice', zeroPoint: zero, low, high },
    tables: { sigmoid: functionTable16('logistic', 1 / 4096, false), tanh: functionTable16('tanh', 1 / 4096, false), cellTanh: shiftedTanhTable16(given.number('CELL_SCALE_POWER') + 12) },
  });
  return growing.run(x, y, input, given.required('output'));
}

export function svdfRun(given: CmsisCase): CmsisRun {
  const growing = new Growing();
  const [batch, inputs, filters, memory, rank] = ['INPUT_BATCHES', 'INPUT_SIZE', 'FEATURE_BATCHES', 'TIME_BATCHES', 'RANK'].map((key) => given.number(key)) as [number, number, number, number, number];
  const sequence = given.required('input_sequence');
  const calls = sequence.length / (batch * inputs);
  const units = filters / rank;
  const add = (dims: readonly number[], type: 'int8' | 'int16', data: Int8Array | Int16Array | null = null): string => growing.addValue({ dims, type, quantization: null, data });
  const x = add([calls, batch, inputs], 'int8');
  const feature = add([filters, inputs], 'int8', Int8Array.from(given.required('weights_feature')));
  const time = add([filters, memory], 'int16', Int16Array.from(given.required('weights_time')));
  const bias = given.array('biases') ?? new Array<number>(units).fill(0);
  const stage = (suffix: 'IN' | 'OUT', shift: 1 | 2, zeroPoint: number) => ({
    multipliers: [given.number(`MULTIPLIER_${suffix}`)], shifts: [31 - given.number(`SHIFT_${shift}`)], rounding: 'twice', zeroPoint,
    low: given.number(`${suffix}_ACTIVATION_MIN`), high: given.number(`${suffix}_ACTIVATION_MAX`),
  } as const);
  let state = add([batch, filters * memory], 'int16', Int16Array.from(given.required('state')));
  let y = '';
  for (let call = 0; call < calls; call += 1) {
    const [part, newest, shifted] = [add([batch, inputs], 'int8'), add([batch, filters], 'int16'), add([batch, filters * memory], 'int16')];
    y = add([batch, units], 'int8');
    growing.append({ kind: 'slice', name: `input ${call}`, x, output: part, starts: [call, 0, 0], sizes: [1, batch, inputs], steps: [1, 1, 1] });
    growing.append({ kind: 'linear', name: `features ${call}`, x: part, output: newest, weights: feature, weightZero: 0, xZero: given.number('INPUT_OFFSET'), bias: null, stage: stage('IN', 1, 0) });
    growing.append({ kind: 'shift-state', name: `state ${call}`, state, newest, output: shifted, memory });
    growing.append({ kind: 'filter-sums', name: `output ${call}`, state: shifted, weights: time, bias, rank, output: y, stage: stage('OUT', 2, given.number('OUTPUT_OFFSET')) });
    state = shifted;
  }
  return growing.run(x, y, sequence, given.required('output_ref'));
}
