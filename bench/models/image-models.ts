import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { importMnist, readDigits, readMnistFile } from '../../test/models/mnist.ts';
import { openTfliteOracle } from '../../test/models/tflite-oracle.ts';
import type { Contender } from './contest.ts';

/** A model of images, and peers that run the same network. */
export interface ImageModel {
  readonly name: string;
  readonly model: Model;
  /** Padded words. */
  readonly input: Uint8Array;
  readonly peers: (images: number) => Promise<readonly Contender[]>;
}

/** A network in onnxruntime, on so many threads. */
async function onnxruntimePeer(file: Uint8Array, threads: number, images: number): Promise<Contender> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const [input] = session.inputMetadata;
  if (input === undefined || !input.isTensor) throw new Error('the network has no tensor as its input');
  const shape = input.shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1));
  const length = shape.reduce((product, size) => product * size, 1);
  const values = input.type === 'int8' ? new Int8Array(length).fill(7) : input.type === 'uint8' ? new Uint8Array(length).fill(7) : new Float32Array(length).fill(7);
  const feeds = { [input.name]: new Tensor(input.type as 'float32', values as Float32Array, shape) };
  return {
    name: `onnxruntime, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    async run() {
      for (let image = 0; image < images; image += 1) await session.run(feeds);
      return images;
    },
    dispose: () => session.release(),
  };
}

/** A network in TensorFlow Lite's runtime for browsers (WebAssembly with XNNPACK), on one thread. */
async function tflitePeer(file: Uint8Array, images: number): Promise<Contender> {
  const oracle = await openTfliteOracle(file);
  const inputs = oracle.inputs.map(({ dims }) => new Uint8Array(dims.reduce((product, size) => product * size, 1)).fill(7));
  return {
    name: 'tfjs-tflite (WebAssembly), one thread',
    run: async () => {
      for (let image = 0; image < images; image += 1) oracle.run(...inputs);
      return images;
    },
    dispose: async () => {},
  };
}

/** The models of images that lie in the folder. */
export function imageModels(folder: string): ImageModel[] {
  const digits = readDigits(folder);
  const { model: mnist } = importMnist(folder, digits);
  const onnx = (file: Uint8Array) => async (images: number): Promise<Contender[]> =>
    [await onnxruntimePeer(file, 1, images), await onnxruntimePeer(file, 2, images)];
  const tflite = (name: string, file: string, onnxFile?: string): ImageModel => {
    const bytes = new Uint8Array(readFileSync(join(folder, 'tflite', file)));
    const { model } = importTflite(bytes);
    const { input } = model.program;
    const elements = new Uint8Array(input.rows * input.columns).fill(7);
    return {
      name, model, input: packTensor(input, elements),
      peers: async (images) => [
        ...(onnxFile === undefined ? [] : await onnx(new Uint8Array(readFileSync(join(folder, 'onnx', onnxFile))))(images)),
        await tflitePeer(bytes, images),
      ],
    };
  };
  return [
    { name: 'MNIST CNN (int8; onnxruntime: float)', model: mnist, input: packTensor(mnist.program.input, digits.image(0)), peers: onnx(readMnistFile(folder)) },
    tflite('ResNet8, CIFAR-10 (int8)', 'mlperf_pretrainedResnet_quant.tflite', 'resnet8_cifar10_int8_qdq.onnx'),
    tflite('DS-CNN, speech commands (int8)', 'mlperf_kws_ref_model.tflite', 'dscnn_kws_int8_qdq.onnx'),
    tflite('MobileNet v1 0.25, 128 × 128 (uint8)', 'coral_mobilenet_v1_0.25_128_quant.tflite'),
  ];
}
