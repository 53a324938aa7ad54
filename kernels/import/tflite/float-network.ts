import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { fuseLayers } from '../network/fuse.ts';
import type { Layer, Network, Range, Window } from '../network/layer.ts';
import { decodeTflite } from './decode.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './decode.ts';

/** What a fused activation cuts results to, by its number in the schema. */
const ACTIVATIONS: Readonly<Record<number, Range | null>> = { 0: null, 1: { low: 0, high: Infinity }, 2: { low: -1, high: 1 }, 3: { low: 0, high: 6 } };

/**
 * The layers of a TensorFlow Lite model with float weights, for `quantizeNetwork`: convolutions, fully connected layers, pooling, sums, reshapes, softmax. Images are turned to
 * NCHW, the layers' order.
 *
 * @throws ImportError on a damaged file, and on operators or forms that are not supported (all unsupported operators at once).
 */
export function tfliteFloatNetwork(bytes: Uint8Array, name = 'tflite-model'): Network {
  const file = decodeTflite(bytes);
  const unsupported = file.operators.filter(({ operator }) => !CONVERSIONS.has(operator));
  if (unsupported.length > 0) throw new ImportError(`the model has float weights and uses operators that are not supported for them: ${unsupported.map(({ operator, index }) => `operator ${index} (${operator})`).join(', ')}`);
  const conversion = new FloatConversion(file);
  for (const operator of file.operators) CONVERSIONS.get(operator.operator)?.(conversion, operator);
  const names = (indices: readonly number[]): string[] => indices.map((index) => conversion.rows(index));
  const inputs = file.inputs.map((index) => nameOf(conversion.tensor(index)));
  return fuseLayers({ name, inputs, outputs: names(file.outputs), layers: conversion.layers, constants: new Map(), dims: conversion.dims });
}

const nameOf = ({ name, index }: TfliteTensor): string => `${name}#${index}`;

class FloatConversion {
  readonly layers: Layer[] = [];
  readonly dims = new Map<string, readonly number[]>();
  readonly #file: TfliteModel;

  constructor(file: TfliteModel) {
    this.#file = file;
    for (const index of file.inputs) this.dims.set(nameOf(this.tensor(index)), this.tensor(index).dims);
  }

  tensor(index: number): TfliteTensor {
    const tensor = this.#file.tensors[index];
    if (tensor === undefined) throw new ImportError(`tensor ${index} is missing`);
    return tensor;
  }

  /** A constant's numbers. */
  constant(operator: TfliteOperator, position: number): FloatTensor | null {
    const index = operator.inputs[position] ?? -1;
    if (index < 0) return null;
    const { data, type, dims, name } = this.tensor(index);
    if (data === null || type !== 'float32') throw new ImportError(`operator ${operator.index} (${operator.operator}): ${name} is no constant of float32`);
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    return { dims, data: Float32Array.from({ length: elementCount(dims) }, (_, at) => view.getFloat32(4 * at, true)) };
  }

  add(layer: Layer, dims: readonly number[]): string {
    if (!this.dims.has(layer.output)) this.layers.push(layer);
    this.dims.set(layer.output, dims);
    return layer.output;
  }

  /** The image that an operator reads, as NCHW. */
  image(index: number): string {
    const own = nameOf(this.tensor(index));
    const [n = 1, h = 1, w = 1, c = 1] = this.tensor(index).dims;
    return this.dims.has(`${own}.nchw`) ? `${own}.nchw` : this.add({ kind: 'transpose', name: `${own}.nchw`, x: own, output: `${own}.nchw`, order: [0, 3, 1, 2] }, [n, c, h, w]);
  }

  /** A value in the file's own order. */
  rows(index: number): string {
    const { dims } = this.tensor(index);
    const own = nameOf(this.tensor(index));
    return this.dims.has(own) ? own : this.add({ kind: 'transpose', name: `${own}.rows`, x: `${own}.nchw`, output: own, order: [0, 2, 3, 1] }, dims);
  }

  /** Whether a value is known as an image. */
  isImage(index: number): boolean {
    return this.dims.has(`${nameOf(this.tensor(index))}.nchw`);
  }
}

type Convert = (conversion: FloatConversion, operator: TfliteOperator) => void;

const rangeOf = (operator: TfliteOperator, field: number): Range | null => {
  const range = ACTIVATIONS[operator.options?.int8(field, 0) ?? 0];
  if (range === undefined) throw new ImportError(`operator ${operator.index} (${operator.operator}): its fused activation is not supported`);
  return range;
};

interface Sides { readonly x: number; readonly y: number; readonly xDims: readonly number[]; readonly yDims: readonly number[] }

function sides(conversion: FloatConversion, { inputs, outputs }: TfliteOperator): Sides {
  const [x = -1, y = -1] = [inputs[0], outputs[0]];
  return { x, y, xDims: conversion.tensor(x).dims, yDims: conversion.tensor(y).dims };
}

function windowOf({ options }: TfliteOperator, { xDims, yDims }: Sides, [kernelHeight, kernelWidth]: readonly [number, number], [dilationX, dilationY]: readonly [number, number]): Window {
  const [, inputHeight = 1, inputWidth = 1] = xDims;
  const [, outputHeight = 1, outputWidth = 1] = yDims;
  const [strideX, strideY] = [options?.int32(1, 1) ?? 1, options?.int32(2, 1) ?? 1];
  const pad = (input: number, output: number, kernel: number, stride: number, dilation: number): number =>
    (options?.int8(0, 0) ?? 0) === 0 ? Math.floor(Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input) / 2) : 0;
  return {
    inputHeight, inputWidth, outputHeight, outputWidth, kernelHeight, kernelWidth, strideX, strideY, dilationX, dilationY,
    padTop: pad(inputHeight, outputHeight, kernelHeight, strideY, dilationY), padLeft: pad(inputWidth, outputWidth, kernelWidth, strideX, dilationX),
  };
}

/** Adds a layer that gives an image. */
function addImage(conversion: FloatConversion, y: number, layer: (output: string, name: string) => Layer): void {
  const tensor = conversion.tensor(y);
  const [n = 1, h = 1, w = 1, c = 1] = tensor.dims;
  conversion.add(layer(`${nameOf(tensor)}.nchw`, tensor.name), [n, c, h, w]);
}

/** Convolution weights [O][kH][kW][I], or [1][kH][kW][O] for depthwise ones, as [O][I][kH][kW]. */
const convolution = (depthwise: boolean): Convert => (conversion, operator) => {
  const given = sides(conversion, operator);
  const w = conversion.constant(operator, 1);
  if (w === null) throw new ImportError(`operator ${operator.index} (${operator.operator}) has no weights`);
  const [first = 1, kernelHeight = 1, kernelWidth = 1, last = 1] = w.dims;
  const [outputs, inputs] = depthwise ? [last, 1] : [first, last];
  const taps = kernelHeight * kernelWidth;
  const data = Float32Array.from({ length: w.data.length }, (_, index) => {
    const [tap, c, o] = [index % taps, Math.floor(index / taps) % inputs, Math.floor(index / (taps * inputs))];
    return w.data[depthwise ? tap * last + o : (o * taps + tap) * last + c] ?? 0;
  });
  const { options } = operator;
  const dilations = depthwise ? ([options?.int32(5, 1) ?? 1, options?.int32(6, 1) ?? 1] as const) : ([options?.int32(4, 1) ?? 1, options?.int32(5, 1) ?? 1] as const);
  const bias = conversion.constant(operator, 2);
  const groups = (given.xDims[3] ?? 1) / inputs;
  const x = conversion.image(given.x);
  addImage(conversion, given.y, (output, name) => ({
    kind: 'convolution', name, x, output, weights: { dims: [outputs, inputs, kernelHeight, kernelWidth], data }, bias: bias === null ? null : Float32Array.from(bias.data), groups,
    window: windowOf(operator, given, [kernelHeight, kernelWidth], dilations), range: rangeOf(operator, depthwise ? 4 : 3),
  }));
};

const pooling = (mode: 'maximum' | 'average'): Convert => (conversion, operator) => {
  const given = sides(conversion, operator);
  const x = conversion.image(given.x);
  const window = windowOf(operator, given, [operator.options?.int32(4, 1) ?? 1, operator.options?.int32(3, 1) ?? 1], [1, 1]);
  if (rangeOf(operator, 5) !== null) throw new ImportError(`operator ${operator.index} (${operator.operator}): a fused activation is not supported here`);
  addImage(conversion, given.y, (output, name) => ({ kind: 'pooling', name, x, output, mode, window, countPadding: false }));
};

const binary = (kind: 'add' | 'multiply'): Convert => (conversion, operator) => {
  const { y } = sides(conversion, operator);
  const [a = -1, b = -1] = operator.inputs;
  const range = rangeOf(operator, 0);
  if (conversion.isImage(a) && conversion.isImage(b)) {
    addImage(conversion, y, (output, name) => ({ kind, name, x: conversion.image(a), b: conversion.image(b), output, range }));
    return;
  }
  const tensor = conversion.tensor(y);
  conversion.add({ kind, name: tensor.name, x: conversion.rows(a), b: conversion.rows(b), output: nameOf(tensor), range }, tensor.dims);
};

const CONVERSIONS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['CONV_2D', convolution(false)],
  ['DEPTHWISE_CONV_2D', convolution(true)],
  ['AVERAGE_POOL_2D', pooling('average')],
  ['MAX_POOL_2D', pooling('maximum')],
  ['ADD', binary('add')],
  ['MUL', binary('multiply')],
  ['RESHAPE', (conversion, operator) => {
    const { x, y, yDims } = sides(conversion, operator);
    conversion.add({ kind: 'reshape', name: conversion.tensor(y).name, x: conversion.rows(x), output: nameOf(conversion.tensor(y)) }, yDims);
  }],
  ['FULLY_CONNECTED', (conversion, operator) => {
    const { x, y, yDims } = sides(conversion, operator);
    const weights = conversion.constant(operator, 1);
    if (weights === null) throw new ImportError(`operator ${operator.index} (${operator.operator}) has no weights`);
    const bias = conversion.constant(operator, 2);
    const tensor = conversion.tensor(y);
    const inputs = weights.dims[1] ?? 1;
    const given = conversion.rows(x);
    const flat = conversion.tensor(x).dims.at(-1) === inputs ? given : conversion.add({ kind: 'reshape', name: `${tensor.name}.flat`, x: given, output: `${given}.flat` }, [elementCount(yDims) / (yDims.at(-1) ?? 1), inputs]);
    conversion.add({ kind: 'dense', name: tensor.name, x: flat, output: nameOf(tensor), weights, bias: bias === null ? null : Float32Array.from(bias.data), range: rangeOf(operator, 0) }, yDims);
  }],
  ['SOFTMAX', (conversion, operator) => {
    const { x, y, yDims } = sides(conversion, operator);
    conversion.add({ kind: 'softmax', name: conversion.tensor(y).name, x: conversion.rows(x), output: nameOf(conversion.tensor(y)) }, yDims);
  }],
]);
