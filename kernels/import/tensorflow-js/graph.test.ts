import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as keras from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../model-interface.ts';
import { evaluateNetwork } from '../network/evaluate.ts';
import { toNetwork } from '../onnx/import.ts';
import { layersModelGraph } from './graph.ts';
import type { TensorFlowJsFiles } from './graph.ts';
import { importTensorFlowJs } from './import.ts';

/** Layers models that TensorFlow.js itself builds, saves and runs. */

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** What `save` writes: model.json, and the shards. */
async function saved(model: keras.LayersModel): Promise<TensorFlowJsFiles> {
  const files: TensorFlowJsFiles[] = [];
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      files.push({ model: { modelTopology, weightsManifest: [{ paths: ['group1-shard1of1'], weights: weightSpecs }] }, shards: new Uint8Array(weightData as ArrayBuffer) });
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  const [written] = files;
  if (written === undefined) throw new Error('nothing was saved');
  return written;
}

const numbers = (count: number, salt: number): Float32Array => Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.1 + salt) + 0.3);

/** Every weight replaced by numbers that are the same each time; variances positive. */
function fill(model: keras.LayersModel): void {
  model.setWeights(model.getWeights().map((weight, index) => {
    const values = numbers(weight.size, index).map((value) => (model.weights[index]?.originalName.includes('variance') === true ? Math.abs(value) + 0.5 : value / 2));
    return tf.tensor(values, weight.shape);
  }));
}

const expected = (model: keras.LayersModel, x: Float32Array, dims: readonly number[]): Float32Array => (model.predict(tf.tensor(x, [1, ...dims])) as tf.Tensor).dataSync() as Float32Array;

async function sameFloats(model: keras.LayersModel, dims: readonly number[]): Promise<TensorFlowJsFiles> {
  fill(model);
  const files = await saved(model);
  const network = toNetwork(layersModelGraph(files));
  const x = numbers(dims.reduce((product, dim) => product * dim, 1), 9);
  const own = evaluateNetwork(network, x).get(network.outputs[0] ?? '')?.data ?? [];
  const reference = expected(model, x, dims);
  expect(own).toHaveLength(reference.length);
  const greatest = Math.max(...reference.map(Math.abs));
  reference.forEach((value, index) => expect(Math.abs(value - (own[index] ?? NaN))).toBeLessThan(1e-5 * greatest + 1e-6));
  return files;
}

const picture = (): { input: keras.SymbolicTensor; dims: readonly number[] } => ({ input: keras.input({ shape: [9, 8, 3] }), dims: [9, 8, 3] });

describe('layers, against TensorFlow.js', () => {
  test('convolutions, normalisation, padding, activations, a residual sum, pooling, dense layers', async () => {
    const { input, dims } = picture();
    let x = keras.layers.zeroPadding2d({ padding: [[0, 1], [1, 2]] }).apply(input) as keras.SymbolicTensor;
    x = keras.layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, useBias: false }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.batchNormalization({}).apply(x) as keras.SymbolicTensor;
    const before = keras.layers.reLU({ maxValue: 6 }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.depthwiseConv2d({ kernelSize: [3, 3], padding: 'same', depthMultiplier: 1 }).apply(before) as keras.SymbolicTensor;
    x = keras.layers.conv2d({ filters: 6, kernelSize: 1, activation: 'tanh' }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.add().apply([before, x]) as keras.SymbolicTensor;
    x = keras.layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.flatten().apply(x) as keras.SymbolicTensor;
    x = keras.layers.dropout({ rate: 0.5 }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.dense({ units: 7, activation: 'relu' }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.dense({ units: 4, activation: 'softmax' }).apply(x) as keras.SymbolicTensor;
    await sameFloats(keras.model({ inputs: input, outputs: x }), dims);
  });

  test('concatenation, separable convolution, maxima, products, an image as the result', async () => {
    const { input, dims } = picture();
    const a = keras.layers.separableConv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'sigmoid' }).apply(input) as keras.SymbolicTensor;
    const b = keras.layers.conv2d({ filters: 4, kernelSize: 2, padding: 'same', activation: 'elu' }).apply(input) as keras.SymbolicTensor;
    let x = keras.layers.concatenate({ axis: -1 }).apply([a, keras.layers.multiply().apply([a, b]) as keras.SymbolicTensor]) as keras.SymbolicTensor;
    x = keras.layers.maxPooling2d({ poolSize: [2, 3], strides: [2, 1] }).apply(x) as keras.SymbolicTensor;
    x = keras.layers.leakyReLU({ alpha: 0.1 }).apply(x) as keras.SymbolicTensor;
    await sameFloats(keras.model({ inputs: input, outputs: x }), dims);
  });

  test('a Sequential model with a global mean, as integers within its steps', async () => {
    const model = keras.sequential({ layers: [keras.layers.conv2d({ inputShape: [9, 8, 3], filters: 5, kernelSize: 3, activation: 'relu' }), keras.layers.globalAveragePooling2d({}), keras.layers.dense({ units: 3 })] });
    const files = await sameFloats(model, [9, 8, 3]);
    const inputs = [1, 2, 3].map((salt) => numbers(216, salt));
    const imported = importTensorFlowJs(files, { calibration: Float32Array.from(inputs.flatMap((x) => [...x])), activationBits: 16, weightBits: 16 });
    admit(imported.model);
    const prepared = await createWasmExecutor().prepare(imported.model);
    for (const x of inputs) {
      const reference = expected(model, x, [9, 8, 3]);
      const own = dequantizeOutput(imported.model, (await prepared.run(quantizeInput(imported.model, x))).output);
      const greatest = Math.max(...reference.map(Math.abs));
      reference.forEach((value, index) => expect(Math.abs(value - (own[index] ?? NaN))).toBeLessThan(0.005 * greatest));
    }
  });
});

describe('files that cannot be imported', () => {
  const small = async (): Promise<{ model: Record<string, unknown>; shards: Uint8Array }> => {
    const model = keras.sequential({ layers: [keras.layers.dense({ inputShape: [4], units: 2, name: 'd' })] });
    const { model: json, shards } = await saved(model);
    return { model: JSON.parse(JSON.stringify(json)) as Record<string, unknown>, shards };
  };

  test('quantised weights are min + scale · q', async () => {
    const { model } = await small();
    const manifest = [{ weights: [{ name: 'd/kernel', shape: [4, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } }, { name: 'd/bias', shape: [2], dtype: 'float32' }] }];
    const shards = new Uint8Array(16);
    shards.set([0, 1, 2, 3, 4, 5, 6, 255]);
    const graph = layersModelGraph({ model: { ...model, weightsManifest: manifest }, shards });
    expect([...graph.constants.values()].map(({ data }) => [...data])).toContainEqual([-1, -0.5, 0, 0.5, 1, 1.5, 2, 126.5]);
  });

  test('truncated shards, other formats, unknown layers', async () => {
    const { model, shards } = await small();
    expect(() => layersModelGraph({ model, shards: shards.subarray(1) })).toThrow('missing or truncated');
    expect(() => layersModelGraph({ model, shards: Uint8Array.from([...shards, 0]) })).toThrow('where the manifest wants');
    expect(() => layersModelGraph({ model: { ...model, modelTopology: { node: [] } }, shards })).toThrow('graph model');
    expect(() => layersModelGraph({ model: { ...model, weightsManifest: 5 }, shards })).toThrow('weightsManifest is not a list');
    expect(() => layersModelGraph({ model: null, shards })).toThrow('is not an object');
    const hostile = JSON.parse(JSON.stringify(model).replaceAll('"Dense"', '"Lambda"')) as unknown;
    expect(() => layersModelGraph({ model: hostile, shards })).toThrow('layers that are not supported (Lambda): d');
    const huge = [{ weights: [{ name: 'd/kernel', shape: [2 ** 20, 2 ** 20], dtype: 'uint8' }] }];
    expect(() => layersModelGraph({ model: { ...model, weightsManifest: huge }, shards })).toThrow('elements');
  });
});
