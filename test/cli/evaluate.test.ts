import { writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { answer, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, INPUT, linearModel, OUTPUT } from './models.ts';

const at = temporaryFolder();

beforeAll(async () => {
  await writeBundleDirectory(at('linear'), importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'linear' }).model);
  writeFileSync(at('linear.onnx'), linearModel());
  // The known input, and its negative.
  writeFileSync(at('inputs.f32'), floats(...INPUT, ...INPUT.map((value) => -value)));
  const greatest = (values: readonly number[]): number => values.indexOf(Math.max(...values));
  const biases = [0.1, -0.2, 0.3];
  const mirrored = OUTPUT.map((value, index) => 2 * biases[index]! - value);
  writeFileSync(at('labels'), Uint8Array.of(greatest(OUTPUT), (greatest(mirrored) + 1) % 3));
});

test('a program beside its float model: one label of two is right', async () => {
  const parameters = ['evaluate', at('linear'), '--against', at('linear.onnx'), '--dataset', at('inputs.f32')];
  const [both, first] = await Promise.all([answer([...parameters, '--labels', at('labels')]), answer([...parameters, '--limit', '1'])]);
  expect(both).toMatchObject({ samples: 2, agreement: 1, accuracy: 0.5, floatAccuracy: 0.5 });
  expect(both.maxError).toBeGreaterThan(0);
  expect(both.maxError).toBeLessThan(0.03);
  expect(first).toMatchObject({ samples: 1, agreement: 1, accuracy: null, floatAccuracy: null });
});

test('labels that do not fit are refused', async () => {
  await refusal(['evaluate', at('linear'), '--against', at('linear.onnx'), '--dataset', at('inputs.f32'), '--labels', at('inputs.f32')], 2, /inputs\.f32 has 32 labels for the 2 inputs/);
});
