import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { decodeOnnx } from '../../kernels/import/onnx/decode.ts';
import { importQuantizedGraph } from '../../kernels/import/onnx/quantized/import.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';

/** The quantised ONNX models of the folder of models, int8 in and out. */
export const QUANTIZED_MODELS = [
  { name: 'autoencoder_ad', dims: [1, 640] },
  { name: 'dscnn_kws', dims: [1, 1, 49, 10] },
  { name: 'resnet8_cifar10', dims: [1, 3, 32, 32] },
] as const;

export const readQuantizedFile = (folder: string, name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, `onnx/${name}_int8_qdq.onnx`)));

export const importQuantizedFile = (file: Uint8Array): Model => importQuantizedGraph(decodeOnnx(file), { classify: false }).model;

/**
 * How onnxruntime runs a quantised model:
 * - `integers`: with its integer kernels throughout (`session.qdqisint8allowed`, else it does int8 on x86 by turns as uint8 and in float);
 * - `default`: as it does unless asked otherwise;
 * - `floats`: without optimisation, every operator between a DequantizeLinear and a QuantizeLinear in single precision.
 */
export type OnnxruntimeMode = 'integers' | 'default' | 'floats';

export const openOnnxruntime = (file: Uint8Array, mode: OnnxruntimeMode): Promise<InferenceSession> =>
  InferenceSession.create(file, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    graphOptimizationLevel: mode === 'floats' ? 'disabled' : 'all',
    ...(mode === 'integers' ? { extra: { session: { qdqisint8allowed: '1' } } } : {}),
  });

/** onnxruntime's int8 outputs for one int8 input. */
export async function runOnnxruntime(session: InferenceSession, input: Int8Array, dims: readonly number[]): Promise<Int8Array> {
  const [name = ''] = session.inputNames;
  const [output = ''] = session.outputNames;
  return (await session.run({ [name]: new Tensor('int8', input, dims) }))[output]?.data as Int8Array;
}

/** The program's int8 outputs for one int8 input. */
export async function runProgram(prepared: PreparedModel, input: Int8Array): Promise<Int8Array> {
  const { model } = prepared;
  const words = packTensor(model.program.input, new Uint8Array(input.buffer, input.byteOffset, input.length));
  const last = model.program.prologue.at(-1);
  if (last === undefined) throw new Error(`${model.program.name} has no operators`);
  const elements = unpackTensor(last.output, (await prepared.run(words)).output);
  return new Int8Array(elements.buffer, elements.byteOffset, elements.length);
}

/** Any int8 inputs, the same ones each time: bits 16 to 23 of x → x · 1103515245 + 12345 modulo 2^32. */
export function randomInputs(size: number): () => Int8Array {
  let state = 20261122;
  return () => Int8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) & 255;
  });
}

/** CIFAR-10 test images as ResNet8 takes them: [3][32][32], 128 less than the pixels. */
export function cifarImages(folder: string): { readonly count: number; image(index: number): Int8Array } {
  const bytes = gunzipSync(readFileSync(join(folder, 'data/cifar10_test1000.bin.gz')));
  const record = 1 + 3 * 32 * 32;
  return { count: bytes.length / record, image: (index) => Int8Array.from(bytes.subarray(index * record + 1, (index + 1) * record), (pixel) => pixel - 128) };
}

/** The classes that the model's own TensorFlow Lite runtime gives for those images. */
export const cifarGolden = (folder: string): readonly number[] =>
  (JSON.parse(readFileSync(join(folder, 'golden/cifar10_resnet8_int8_preds.json'), 'utf8')) as { readonly preds: readonly number[] }).preds;

export const greatest = (values: ArrayLike<number>): number => Array.from(values).reduce((best, value, index, all) => (value > (all[best] ?? 0) ? index : best), 0);
