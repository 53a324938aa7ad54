import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { TensorFlowJsFiles } from '../../kernels/import/tensorflow-js/graph.ts';

/** A layers model on TensorFlow.js itself, with its WebAssembly backend. Gives the output's numbers for one input, row by row as Keras has it. */
export async function openTensorFlowJs({ model, shards }: TensorFlowJsFiles, dims: readonly number[]): Promise<(input: Float32Array) => Promise<Float32Array>> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist');
  setWasmPaths(`${folder}/`);
  await tf.setBackend('wasm');
  const { modelTopology, weightsManifest } = model as { readonly modelTopology: object; readonly weightsManifest: readonly { readonly weights: tf.io.WeightsManifestEntry[] }[] };
  const loaded = await loadLayersModel({
    load: async () => ({ modelTopology, weightSpecs: weightsManifest.flatMap(({ weights }) => weights), weightData: shards.slice().buffer }),
  });
  return async (input) => {
    const given = tf.tensor(input, [...dims]);
    const result = loaded.predict(given) as tf.Tensor;
    const values = (await result.data()) as Float32Array;
    given.dispose();
    result.dispose();
    return values;
  };
}
