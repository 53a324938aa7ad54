import { ImportError } from '../import-error.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { array, integers, number, optional, text } from './json.ts';
import type { KerasLayer } from './topology.ts';

/** Where layers become ONNX nodes. Images are NHWC in Keras, and NCHW in these nodes. */
export interface LayerTarget {
  /** A node with one output, whose name is returned. */
  node(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, number | string | readonly number[]>>): string;
  constant(tensor: FloatTensor): string;
  /** A weight of the layer, null where the file has none of that name. */
  weight(name: string): FloatTensor | null;
  /** Dimensions without the batch, as Keras has them, of what a layer gives. */
  rankOf(layer: string): number;
}

/** What a layer reads, by its names in the ONNX graph, and how many dimensions its result has. */
type ConvertLayer = (target: LayerTarget, layer: KerasLayer, inputs: readonly string[]) => string;

const what = (layer: KerasLayer): string => `layer ${layer.name} (${layer.kind})`;

function weightOf(target: LayerTarget, layer: KerasLayer, ...names: readonly string[]): FloatTensor {
  for (const name of names) {
    const weight = target.weight(`${layer.name}/${name}`);
    if (weight !== null) return weight;
  }
  throw new ImportError(`${what(layer)} has no weight ${names.join(' or ')} in the manifest`);
}

function biasOf(target: LayerTarget, layer: KerasLayer): readonly string[] {
  return layer.config.use_bias === false ? [] : [target.constant(weightOf(target, layer, 'bias'))];
}

/** Elements with their axes in another order: axis i of the result is axis `order[i]`. */
export function transposed({ dims, data }: FloatTensor, order: readonly number[]): FloatTensor {
  const size = (axis: number): number => dims[axis] ?? 1;
  const step = (axis: number): number => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const target = order.map(size);
  return {
    dims: target,
    data: Float32Array.from({ length: data.length }, (_, index) => {
      let [rest, source] = [index, 0];
      for (let axis = target.length - 1; axis >= 0; axis -= 1) {
        source += (rest % (target[axis] ?? 1)) * step(order[axis] ?? 0);
        rest = Math.floor(rest / (target[axis] ?? 1));
      }
      return data[source] ?? 0;
    }),
  };
}

function padding(layer: KerasLayer): string {
  const mode = text(layer.config.padding ?? 'valid', `${what(layer)}: padding`);
  if (mode !== 'same' && mode !== 'valid') throw new ImportError(`${what(layer)}: padding ${mode} is not supported`);
  return mode === 'same' ? 'SAME_UPPER' : 'VALID';
}

function channelsLast(layer: KerasLayer): void {
  const format = layer.config.data_format ?? 'channels_last';
  if (format !== 'channels_last') throw new ImportError(`${what(layer)}: data_format ${String(format)} is not supported, only channels_last`);
}

const pair = (value: unknown, layer: KerasLayer, name: string): readonly number[] => integers(typeof value === 'number' ? [value, value] : value, 2, `${what(layer)}: ${name}`);

function windowAttributes(layer: KerasLayer): Record<string, string | readonly number[]> {
  channelsLast(layer);
  return { strides: pair(layer.config.strides ?? [1, 1], layer, 'strides'), dilations: pair(layer.config.dilation_rate ?? [1, 1], layer, 'dilation_rate'), auto_pad: padding(layer) };
}

/** An activation that a layer names. */
export function activation(target: LayerTarget, layer: KerasLayer, given: unknown, x: string): string {
  const name = optional(given, (value) => text(value, `${what(layer)}: activation`)) ?? 'linear';
  const cut = (low: number, high: number | null): string => {
    const bounds = [low, ...(high === null ? [] : [high])].map((bound) => target.constant({ dims: [], data: Float32Array.of(bound) }));
    return target.node('Clip', [x, ...bounds]);
  };
  switch (name) {
    case 'linear': return x;
    case 'relu': return target.node('Relu', [x]);
    case 'relu6': return cut(0, 6);
    case 'sigmoid': return target.node('Sigmoid', [x]);
    case 'tanh': return target.node('Tanh', [x]);
    case 'softmax': return target.node('Softmax', [x], { axis: -1 });
    case 'elu': return target.node('Elu', [x]);
    case 'hard_sigmoid': return target.node('HardSigmoid', [x], { alpha: 0.2, beta: 0.5 });
    case 'swish': case 'silu': return target.node('Mul', [x, target.node('Sigmoid', [x])]);
    default: throw new ImportError(`${what(layer)}: activation ${name} is not supported`);
  }
}

const activated = (convert: ConvertLayer): ConvertLayer => (target, layer, inputs) => activation(target, layer, layer.config.activation, convert(target, layer, inputs));
const first = (inputs: readonly string[]): string => inputs[0] ?? '';
const passed: ConvertLayer = (_, __, inputs) => first(inputs);

const convolution: ConvertLayer = (target, layer, inputs) => {
  const kernel = weightOf(target, layer, 'kernel');
  if (kernel.dims.length !== 4) throw new ImportError(`${what(layer)}: a kernel of dimensions [${kernel.dims.join(', ')}]`);
  return target.node('Conv', [first(inputs), target.constant(transposed(kernel, [3, 2, 0, 1])), ...biasOf(target, layer)], windowAttributes(layer));
};

/** [height][width][channels][multiplier] as [channels · multiplier][1][height][width]. */
function depthwiseKernel(layer: KerasLayer, kernel: FloatTensor): FloatTensor {
  const [height = 1, width = 1, channels = 1, multiplier = 1] = kernel.dims;
  if (kernel.dims.length !== 4) throw new ImportError(`${what(layer)}: a kernel of dimensions [${kernel.dims.join(', ')}]`);
  return { dims: [channels * multiplier, 1, height, width], data: transposed(kernel, [2, 3, 0, 1]).data };
}

const depthwise: ConvertLayer = (target, layer, inputs) => {
  const kernel = weightOf(target, layer, 'depthwise_kernel');
  const weights = target.constant(depthwiseKernel(layer, kernel));
  return target.node('Conv', [first(inputs), weights, ...biasOf(target, layer)], { ...windowAttributes(layer), group: kernel.dims[2] ?? 1 });
};

const separable: ConvertLayer = (target, layer, inputs) => {
  const kernel = weightOf(target, layer, 'depthwise_kernel');
  const inner = target.node('Conv', [first(inputs), target.constant(depthwiseKernel(layer, kernel))], { ...windowAttributes(layer), group: kernel.dims[2] ?? 1 });
  return target.node('Conv', [inner, target.constant(transposed(weightOf(target, layer, 'pointwise_kernel'), [3, 2, 0, 1])), ...biasOf(target, layer)]);
};

const dense: ConvertLayer = (target, layer, inputs) => {
  const kernel = weightOf(target, layer, 'kernel');
  const [bias] = biasOf(target, layer);
  const product = target.node('MatMul', [first(inputs), target.constant(kernel)]);
  return bias === undefined ? product : target.node('Add', [product, bias]);
};

const batchNormalization: ConvertLayer = (target, layer, inputs) => {
  const mean = weightOf(target, layer, 'moving_mean');
  const filled = (value: number): FloatTensor => ({ dims: mean.dims, data: new Float32Array(mean.data.length).fill(value) });
  const gamma = layer.config.scale === false ? filled(1) : weightOf(target, layer, 'gamma');
  const beta = layer.config.center === false ? filled(0) : weightOf(target, layer, 'beta');
  const parts = [gamma, beta, mean, weightOf(target, layer, 'moving_variance')];
  return target.node('BatchNormalization', [first(inputs), ...parts.map((part) => target.constant(part))], { epsilon: number(layer.config.epsilon ?? 0.001, `${what(layer)}: epsilon`) });
};

const zeroPadding: ConvertLayer = (target, layer, inputs) => {
  channelsLast(layer);
  const given = layer.config.padding;
  const rows = typeof given === 'number' ? [[given, given], [given, given]] : array(given, `${what(layer)}: padding`).map((entry) => (typeof entry === 'number' ? [entry, entry] : entry));
  const [top, bottom] = pair(rows[0], layer, 'padding');
  const [left, right] = pair(rows[1], layer, 'padding');
  const pads = Float64Array.of(0, 0, top ?? 0, left ?? 0, 0, 0, bottom ?? 0, right ?? 0);
  return target.node('Pad', [first(inputs), target.constant({ dims: [8], data: pads })]);
};

const pooling = (operator: 'AveragePool' | 'MaxPool'): ConvertLayer => (target, layer, inputs) => {
  channelsLast(layer);
  const size = pair(layer.config.pool_size ?? [2, 2], layer, 'pool_size');
  return target.node(operator, [first(inputs)], { kernel_shape: size, strides: optional(layer.config.strides, (value) => pair(value, layer, 'strides')) ?? size, auto_pad: padding(layer) });
};

/** Keras flattens pixels with their channels together. */
const flatten: ConvertLayer = (target, layer, inputs) => {
  const image = target.rankOf(layer.inputs[0] ?? '') === 3;
  const x = image ? target.node('Transpose', [first(inputs)], { perm: [0, 2, 3, 1] }) : first(inputs);
  return target.node('Flatten', [x], { axis: 1 });
};

const globalAverage: ConvertLayer = (target, _, inputs) => target.node('Flatten', [target.node('GlobalAveragePool', inputs)], { axis: 1 });

const combined = (operator: string): ConvertLayer => (target, layer, inputs) => {
  if (inputs.length < 2) throw new ImportError(`${what(layer)} has one input`);
  return inputs.slice(1).reduce((total, input) => target.node(operator, [total, input]), first(inputs));
};

const concatenate: ConvertLayer = (target, layer, inputs) => {
  const rank = target.rankOf(layer.inputs[0] ?? '') + 1;
  const given = number(layer.config.axis ?? -1, `${what(layer)}: axis`);
  const axis = given < 0 ? given + rank : given;
  return target.node('Concat', inputs, { axis: rank === 4 ? ([0, 2, 3, 1][axis] ?? 1) : axis });
};

const relu: ConvertLayer = (target, layer, inputs) => {
  const slope = number(layer.config.negative_slope ?? 0, `${what(layer)}: negative_slope`);
  const threshold = number(layer.config.threshold ?? 0, `${what(layer)}: threshold`);
  const most = optional(layer.config.max_value, (value) => number(value, `${what(layer)}: max_value`));
  if (slope !== 0 || threshold !== 0) throw new ImportError(`${what(layer)}: a slope or threshold other than 0 is not supported`);
  if (most === null) return target.node('Relu', [first(inputs)]);
  return target.node('Clip', [first(inputs), ...[0, most].map((bound) => target.constant({ dims: [], data: Float32Array.of(bound) }))]);
};

/** The layers that are imported, and how many dimensions a layer's result has, given its inputs'. */
export const LAYERS: ReadonlyMap<string, { readonly convert: ConvertLayer; readonly rank: (inputRank: number) => number }> = new Map(
  Object.entries<readonly [ConvertLayer, ((rank: number) => number)?]>({
    Activation: [(target, layer, inputs) => activation(target, layer, layer.config.activation, first(inputs))],
    Add: [combined('Add')],
    AveragePooling2D: [pooling('AveragePool')],
    BatchNormalization: [batchNormalization],
    Concatenate: [concatenate],
    Conv2D: [activated(convolution)],
    Dense: [activated(dense)],
    DepthwiseConv2D: [activated(depthwise)],
    Dropout: [passed],
    Flatten: [flatten, () => 1],
    GaussianDropout: [passed],
    GaussianNoise: [passed],
    GlobalAveragePooling2D: [globalAverage, () => 1],
    LeakyReLU: [(target, layer, inputs) => target.node('LeakyRelu', [first(inputs)], { alpha: number(layer.config.alpha ?? 0.3, `${what(layer)}: alpha`) })],
    MaxPooling2D: [pooling('MaxPool')],
    Multiply: [combined('Mul')],
    ReLU: [relu],
    SeparableConv2D: [activated(separable)],
    Softmax: [(target, layer, inputs) => activation(target, layer, 'softmax', first(inputs))],
    SpatialDropout2D: [passed],
    ZeroPadding2D: [zeroPadding],
  }).map(([kind, [convert, rank = (inputRank: number): number => inputRank]]) => [kind, { convert, rank }]),
);

