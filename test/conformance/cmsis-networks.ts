import type { Border, IntegerType, OutputStage, QuantizedNetwork, QuantizedOperation, QuantizedValue } from '../../kernels/import/quantized/network.ts';
import type { Window } from '../../kernels/import/network/layer.ts';
import type { CmsisCase } from './cmsis-cases.ts';

/** A network for a case, what goes in, and what has to come out. */
export interface CmsisRun { readonly network: QuantizedNetwork; readonly input: readonly number[]; readonly expected: readonly number[] }

interface NamedValue { readonly name: string; readonly dims: readonly number[]; readonly type: IntegerType; readonly data?: readonly number[] }
type Step = (values: { add(value: NamedValue): string }) => readonly QuantizedOperation[];

export const typeOf = (cType: string): IntegerType => (cType === 'int16_t' ? 'int16' : 'int8');
export const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** A network of the operations that `step` gives, from the inputs to the value `y`. */
function networkOf(inputs: readonly NamedValue[], y: NamedValue, step: Step): QuantizedNetwork {
  const values = new Map<string, QuantizedValue>();
  const add = ({ name, dims, type, data }: NamedValue): string => {
    const elements = data === undefined ? null : type === 'int8' ? Int8Array.from(data) : type === 'int16' ? Int16Array.from(data) : Int32Array.from(data);
    values.set(name, { dims, type, quantization: null, data: elements });
    return name;
  };
  for (const value of [...inputs, y]) add(value);
  const border = ({ name, type }: NamedValue): Border => ({ value: name, type, element: type, scale: 1, zeroPoint: 0 });
  return { name: 'case', inputs: inputs.map(border), outputs: [border(y)], values, operations: step({ add }) };
}

/** How sums become outputs: gemmlowp's two roundings, or for 64-bit sums the multiplier's upper 15 bits and one. CMSIS-NN's shifts are to the left. */
function stageOf(given: CmsisCase, multipliers: readonly number[], shifts: readonly number[], wide: boolean): OutputStage {
  const low = given.number('OUT_ACTIVATION_MIN', given.number('ACTIVATION_MIN', -128));
  const high = given.number('OUT_ACTIVATION_MAX', given.number('ACTIVATION_MAX', 127));
  const zeroPoint = given.number('OUTPUT_OFFSET', 0);
  if (!wide) return { multipliers, shifts: shifts.map((shift) => 31 - shift), rounding: 'twice', zeroPoint, low, high };
  const reduced = multipliers.map((multiplier) => (multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff));
  return { multipliers: reduced, shifts: shifts.map((shift) => 15 - shift), rounding: 'once', zeroPoint, low, high };
}

/** Per-channel factors where the case has them, else the one of its configuration. */
function channelStage(given: CmsisCase, outputs: number, wide: boolean): OutputStage {
  const multipliers = given.array('output_mult', 'output_multiplier');
  const shifts = given.array('output_shift');
  const own = given.has('OUTPUT_MULTIPLIER') ? ([[given.number('OUTPUT_MULTIPLIER')], [given.number('OUTPUT_SHIFT')]] as const) : null;
  if (own !== null) return stageOf(given, own[0], own[1], wide);
  if (multipliers === null || shifts === null) throw new Error('the case has no multipliers');
  return stageOf(given, multipliers.slice(0, outputs), shifts.slice(0, outputs), wide);
}

function windowOf(given: CmsisCase): Window {
  return {
    inputHeight: given.number('INPUT_H'), inputWidth: given.number('INPUT_W'), outputHeight: given.number('OUTPUT_H'), outputWidth: given.number('OUTPUT_W'),
    kernelHeight: given.number('FILTER_Y', given.number('FILTER_H', 0)), kernelWidth: given.number('FILTER_X', given.number('FILTER_W', 0)),
    strideY: given.number('STRIDE_Y', given.number('STRIDE_H', 0)), strideX: given.number('STRIDE_X', given.number('STRIDE_W', 0)),
    dilationY: given.number('DILATION_Y', 1), dilationX: given.number('DILATION_X', 1),
    padTop: given.number('PAD_Y', given.number('PADDING_H', 0)), padLeft: given.number('PAD_X', given.number('PADDING_W', 0)),
  };
}

/** Two four-bit numbers a byte, the lower ones first. */
const unpackNibbles = (bytes: readonly number[], count: number): number[] =>
  Array.from({ length: count }, (_, index) => ((((bytes[index >> 1] ?? 0) >> (4 * (index & 1))) & 15) << 28) >> 28);

function weightsOf(given: CmsisCase, count: number): readonly number[] {
  const stored = given.required('weights', 'input_weights', 'filter');
  if (given.name.includes('int4')) return unpackNibbles(stored, count);
  return stored;
}

const biasOf = (given: CmsisCase): readonly number[] | null => given.array('biases', 'bias', 'input_bias');

export function single(given: CmsisCase, dims: readonly number[], outputDims: readonly number[], step: (x: string, y: string, values: Parameters<Step>[0]) => readonly QuantizedOperation[], outputType?: IntegerType): CmsisRun {
  const type = typeOf(given.type('input', 'input_tensor'));
  const [x, y] = [{ name: 'x', dims, type }, { name: 'y', dims: outputDims, type: outputType ?? type }];
  const expected = [given.array('output_ref'), given.array('output')].find((array) => array?.length === size(outputDims)) ?? given.array('output_ref', 'output') ?? [];
  return { network: networkOf([x], y, (values) => step('x', 'y', values)), input: (given.array('input', 'input_tensor') ?? []).slice(0, size(dims)), expected };
}

export function convolutionRun(given: CmsisCase): CmsisRun {
  const window = windowOf(given);
  const [batch, channels, outputs] = [given.number('INPUT_BATCHES', 1), given.number('IN_CH'), given.number('OUT_CH')];
  const taps = window.kernelHeight * window.kernelWidth;
  const full = outputs * taps * channels;
  const stored = given.required('weights', 'input_weights').length;
  const groups = given.name.includes('int4') ? 1 : full / stored;
  const weights = weightsOf(given, full / groups);
  // With biases of 32 bits, sums of 16-bit activations have 32 bits too.
  const wide = typeOf(given.type('input', 'input_tensor')) === 'int16' && given.type('biases', 'bias', 'input_bias') !== 'int32_t' && !given.name.startsWith('int16xint8xint32');
  return single(given, [batch, window.inputHeight, window.inputWidth, channels], [batch, window.outputHeight, window.outputWidth, outputs], (x, y, { add }) => [{
    kind: 'convolution', name: y, output: y, x, xZero: -given.number('INPUT_OFFSET'), weightZero: 0, bias: biasOf(given), window, groups, stage: channelStage(given, outputs, wide),
    weights: add({ name: 'w', dims: [outputs, window.kernelHeight, window.kernelWidth, channels / groups], type: 'int8', data: weights }),
  }]);
}

export function depthwiseRun(given: CmsisCase): CmsisRun {
  const window = windowOf(given);
  const [batch, channels, outputs] = [given.number('INPUT_BATCHES', 1), given.number('IN_CH'), given.number('OUT_CH')];
  const wide = typeOf(given.type('input')) === 'int16';
  const weights = weightsOf(given, window.kernelHeight * window.kernelWidth * outputs);
  return single(given, [batch, window.inputHeight, window.inputWidth, channels], [batch, window.outputHeight, window.outputWidth, outputs], (x, y, { add }) => [{
    kind: 'depthwise', name: y, output: y, x, xZero: -given.number('INPUT_OFFSET'), weightZero: 0, bias: biasOf(given), window, stage: channelStage(given, outputs, wide),
    weights: add({ name: 'w', dims: [window.kernelHeight, window.kernelWidth, outputs], type: 'int8', data: weights }),
  }]);
}

export function transposedConvolutionRun(given: CmsisCase): CmsisRun {
  const own = windowOf(given);
  // The convolution that this is the gradient of goes from the output to the input.
  const window = { ...own, inputHeight: own.outputHeight, inputWidth: own.outputWidth, outputHeight: own.inputHeight, outputWidth: own.inputWidth };
  const [batch, channels, outputs] = [given.number('INPUT_BATCHES', 1), given.number('IN_CH'), given.number('OUT_CH')];
  return single(given, [batch, own.inputHeight, own.inputWidth, channels], [batch, own.outputHeight, own.outputWidth, outputs], (x, y, { add }) => [{
    kind: 'transposed-convolution', name: y, output: y, x, xZero: -given.number('INPUT_OFFSET'), weightZero: 0, bias: biasOf(given), window, stage: channelStage(given, outputs, false),
    weights: add({ name: 'w', dims: [outputs, own.kernelHeight, own.kernelWidth, channels], type: 'int8', data: given.required('weights') }),
  }]);
}

export function fullyConnectedRun(given: CmsisCase): CmsisRun {
  const [batch, inputs, outputs] = [given.number('INPUT_BATCHES', 1), given.number('ACCUMULATION_DEPTH'), given.number('OUT_CH')];
  const wide = typeOf(given.type('input', 'input_tensor')) === 'int16';
  return single(given, [batch, inputs], [batch, outputs], (x, y, { add }) => [{
    kind: 'linear', name: y, output: y, x, xZero: -given.number('INPUT_OFFSET'), weightZero: -given.number('FILTER_OFFSET', 0), bias: biasOf(given), stage: channelStage(given, outputs, wide),
    weights: add({ name: 'w', dims: [outputs, inputs], type: 'int8', data: weightsOf(given, outputs * inputs) }),
  }]);
}

export const poolingRun = (mode: 'average' | 'maximum') => (given: CmsisCase): CmsisRun => {
  const window = windowOf(given);
  const [batch, channels] = [given.number('BATCH_SIZE', given.number('INPUT_N', 1)), given.number('INPUT_C', given.number('IN_CH', 0))];
  return single(given, [batch, window.inputHeight, window.inputWidth, channels], [batch, window.outputHeight, window.outputWidth, channels], (x, y) => [{
    kind: 'pooling', mode, name: y, output: y, x, window, offset: 0, low: given.number('ACTIVATION_MIN', given.number('OUT_ACTIVATION_MIN', -128)), high: given.number('ACTIVATION_MAX', given.number('OUT_ACTIVATION_MAX', 127)),
  }]);
};

/** Two inputs of the same dimensions; factors are those of the case. */
function pair(given: CmsisCase, names: readonly [string, string], dims: readonly [readonly number[], readonly number[]], outputDims: readonly number[], operation: QuantizedOperation): CmsisRun {
  const type = typeOf(given.type(names[0]));
  const [a, b] = names.map((name, index) => given.required(name).slice(0, size(dims[index] ?? []))) as [number[], number[]];
  const network = networkOf([{ name: 'a', dims: dims[0], type }, { name: 'b', dims: dims[1], type }], { name: 'y', dims: outputDims, type }, () => [operation]);
  return { network, input: [...a, ...b], expected: given.required('output_ref', 'output') };
}

export function addRun(given: CmsisCase): CmsisRun {
  const dims = [given.number('DST_SIZE')];
  const term = (index: 1 | 2, x: string): { x: string; zeroPoint: number; multiplier: number; shift: number } =>
    ({ x, zeroPoint: -given.number(`INPUT${index}_OFFSET`), multiplier: given.number(`INPUT${index}_MULT`), shift: 31 - given.number(`INPUT${index}_SHIFT`) });
  const stage = stageOf(given, [given.number('OUTPUT_MULT')], [given.number('OUTPUT_SHIFT')], false);
  return pair(given, ['input1', 'input2'], [dims, dims], dims, { kind: 'add', name: 'y', output: 'y', a: term(1, 'a'), b: term(2, 'b'), subtract: false, leftShift: given.number('LEFT_SHIFT'), stage });
}

export function multiplyRun(given: CmsisCase): CmsisRun {
  const dims = [given.number('DST_SIZE')];
  const stage = stageOf(given, [given.number('OUTPUT_MULT')], [given.number('OUTPUT_SHIFT')], false);
  return pair(given, ['input1', 'input2'], [dims, dims], dims, { kind: 'multiply', name: 'y', output: 'y', a: 'a', aZero: -given.number('INPUT1_OFFSET'), b: 'b', bZero: -given.number('INPUT2_OFFSET'), stage });
}

export const extremeRun = (kind: 'minimum' | 'maximum') => (given: CmsisCase): CmsisRun => {
  const dims = [1, 2].map((index) => ['BATCH', 'HEIGHT', 'WIDTH', 'CHANNEL'].map((axis) => given.number(`${axis}_${index}`))) as [number[], number[]];
  const output = ['BATCH', 'HEIGHT', 'WIDTH', 'CHANNEL'].map((axis) => given.number(`OUTPUT_${axis}`));
  return pair(given, ['input_tensor_1', 'input_tensor_2'], dims, output, { kind, name: 'y', output: 'y', a: 'a', b: 'b' });
};

export function matrixProductRun(given: CmsisCase): CmsisRun {
  const side = (name: 'LHS' | 'RHS'): number[] => ['BATCH', 'HEIGHT', 'ROWS', 'COLS'].map((axis) => given.number(`${name}_${axis}`));
  const output = ['BATCH', 'HEIGHT', 'ROWS', 'COLS'].map((axis) => given.number(`OUTPUT_${axis}`));
  const wide = typeOf(given.type('lhs_input_tensor')) === 'int16';
  const stage = stageOf(given, [given.number('OUTPUT_MULTIPLIER')], [given.number('OUTPUT_SHIFT')], wide);
  return pair(given, ['lhs_input_tensor', 'rhs_input_tensor'], [side('LHS'), side('RHS')], output, {
    kind: 'matrix-product', name: 'y', output: 'y', x: 'a', xZero: -given.number('LHS_OFFSET'), xTransposed: given.number('ADJ_X') === 1, w: 'b', wZero: -given.number('RHS_OFFSET'), wTransposed: given.number('ADJ_Y') === 1, stage,
  });
}

export function padRun(given: CmsisCase): CmsisRun {
  const axes = ['N', 'H', 'W', 'C'];
  const [dims, before, after] = ['INPUT', 'PRE_PAD', 'POST_PAD'].map((what) => axes.map((axis) => given.number(`${what}_${axis}`))) as [number[], number[], number[]];
  const output = dims.map((dim, axis) => dim + (before[axis] ?? 0) + (after[axis] ?? 0));
  return single(given, dims, output, (x, y) => [{ kind: 'pad', name: y, output: y, x, before, after, fill: given.number('PAD_VALUE') }]);
}
