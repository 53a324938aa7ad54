import { ImportError } from '../import-error.ts';
import type { Factor, IntegerType, OutputStage, QuantizedOperation, QuantizedValue } from './network.ts';

/** A gate's weights, [H][I] and [H][H], and what brings their sums to the gate's scale, 1/4096. */
export interface LstmGate {
  readonly inputWeights: readonly number[];
  readonly recurrentWeights: readonly number[];
  readonly bias: readonly number[];
  readonly inputFactor: Factor;
  readonly recurrentFactor: Factor;
}

/** An LSTM over a whole sequence. Weights are int8 without zero points; with 16-bit inputs factors have 15 bits. */
export interface Lstm {
  readonly name: string;
  /** [T][B][I], or [B][T][I] where time is not the first axis. */
  readonly x: string;
  readonly output: string;
  readonly timeMajor: boolean;
  readonly batch: number;
  readonly steps: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly type: Exclude<IntegerType, 'int32'>;
  readonly xZero: number;
  readonly hiddenZero: number;
  readonly gates: { readonly input: LstmGate; readonly forget: LstmGate; readonly cell: LstmGate; readonly output: LstmGate };
  readonly forgetToCell: Factor;
  readonly inputToCell: Factor;
  /** Only the shifts of the two above count. */
  readonly powers: boolean;
  readonly clip: number;
  readonly stage: OutputStage;
  /** Tables of the gates' functions, and of the cell's hyperbolic tangent. */
  readonly tables: { readonly sigmoid: Int32Array; readonly tanh: Int32Array; readonly cellTanh: Int32Array };
}

/** Where operations and values are added. */
export interface NetworkBuilder {
  append(operation: QuantizedOperation): void;
  addValue(value: Omit<QuantizedValue, 'data'> & Partial<Pick<QuantizedValue, 'data'>>): string;
}

/** Steps of one LSTM at most: each is three operators or more. */
const MOST_STEPS = 512;

/**
 * Appends an LSTM step by step, from a cell of 0 and an output that stands for 0 on: what all gates have from the input at once, then gates, cell and output of each step.
 *
 * @throws ImportError for more than 512 steps.
 */
export function appendLstm(builder: NetworkBuilder, lstm: Lstm): void {
  const { name, batch, steps, inputs, hidden, type, timeMajor } = lstm;
  if (steps > MOST_STEPS) throw new ImportError(`${name}: a sequence of ${steps} steps; at most ${MOST_STEPS} are supported`);
  const value = (dims: readonly number[], own: IntegerType): string => builder.addValue({ dims, type: own, quantization: null });
  const constant = (dims: readonly number[], own: IntegerType, data: Int8Array | Int16Array): string => builder.addValue({ dims, type: own, quantization: null, data });
  const gates = [lstm.gates.input, lstm.gates.forget, lstm.gates.cell, lstm.gates.output];
  const columns = 4 * hidden;

  const perColumn = (factor: (gate: LstmGate) => Factor): { readonly multipliers: number[]; readonly shifts: number[] } => ({
    multipliers: gates.flatMap((gate) => new Array<number>(hidden).fill(factor(gate).multiplier)),
    shifts: gates.flatMap((gate) => new Array<number>(hidden).fill(factor(gate).shift)),
  });
  let x = lstm.x;
  if (!timeMajor && batch > 1 && steps > 1) {
    x = value([steps, batch, inputs], type);
    builder.append({ kind: 'transpose', name: `${name}.time`, x: lstm.x, output: x, order: [1, 0, 2] });
  }
  const rows = value([steps * batch, inputs], type);
  builder.append({ kind: 'reshape', name: `${name}.rows`, x, output: rows });
  const given = value([steps * batch, columns], 'int16');
  const weights = constant([columns, inputs], 'int8', Int8Array.from(gates.flatMap(({ inputWeights }) => inputWeights)));
  const stage: OutputStage = { ...perColumn(({ inputFactor }) => inputFactor), rounding: type === 'int8' ? 'twice' : 'once', zeroPoint: 0, low: -32768, high: 32767 };
  builder.append({ kind: 'linear', name: `${name}.input`, x: rows, output: given, weights, weightZero: 0, xZero: lstm.xZero, bias: gates.flatMap(({ bias }) => bias), stage });

  const recurrent = constant([columns, hidden], 'int8', Int8Array.from(gates.flatMap(({ recurrentWeights }) => recurrentWeights)));
  const factors = perColumn(({ recurrentFactor }) => recurrentFactor);
  const { sigmoid, tanh, cellTanh } = lstm.tables;
  let output = constant([batch, hidden], type, type === 'int8' ? new Int8Array(batch * hidden).fill(lstm.hiddenZero) : new Int16Array(batch * hidden));
  let cell = constant([batch, hidden], 'int16', new Int16Array(batch * hidden));
  const parts = Array.from({ length: steps }, (_, step) => {
    const named = `${name}.step${step}`;
    const gate = value([batch, columns], 'int16');
    builder.append({ kind: 'lstm-gates', name: `${named}.gates`, output: gate, given, first: step * batch, hidden: output, hiddenZero: lstm.hiddenZero, weights: recurrent, factors, sigmoid, tanh });
    const next = value([batch, hidden], 'int16');
    builder.append({ kind: 'lstm-cell', name: `${named}.cell`, output: next, gates: gate, cell, forget: lstm.forgetToCell, input: lstm.inputToCell, powers: lstm.powers, clip: lstm.clip });
    cell = next;
    output = value([batch, hidden], type);
    builder.append({ kind: 'lstm-output', name: named, output, gates: gate, cell, tanh: cellTanh, stage: lstm.stage });
    return output;
  });

  // [T·B][H], and the batch first where time is not.
  const swap = !timeMajor && batch > 1 && steps > 1;
  const joined = value([steps * batch, hidden], type);
  builder.append({ kind: 'concatenate', name: `${name}.steps`, output: joined, parts, axis: 0 });
  if (!swap) {
    builder.append({ kind: 'reshape', name, x: joined, output: lstm.output });
    return;
  }
  const timed = value([steps, batch, hidden], type);
  builder.append({ kind: 'reshape', name: `${name}.sequence`, x: joined, output: timed });
  builder.append({ kind: 'transpose', name, x: timed, output: lstm.output, order: [1, 0, 2] });
}
