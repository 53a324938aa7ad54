import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFilesOrSkip } from '../models/model-files.ts';
import { KNOWN_FAILURES } from './onnx-node-document.ts';
import { ONNX_NODE_ARCHIVE, runNodeTest, unpackOnnxTests } from './onnx-node.ts';

const folder = modelFilesOrSkip('ONNX\'s own operator tests');
const found = folder !== null && existsSync(join(folder, ONNX_NODE_ARCHIVE));

/** A few of each kind; test/conformance/onnx-node-table.ts runs them all. */
const ALWAYS = ['test_add_bcast', 'test_averagepool_3d_default', 'test_conv_with_autopad_same', 'test_convtranspose_pads', 'test_layer_normalization_4d_axis1', 'test_matmul_4d', 'test_resize_upsample_sizes_cubic', 'test_slice_neg_steps', 'test_where_example', 'test_argmax_keepdims_example',
  'test_attention_4d_gqa_with_past_and_present', 'test_rotary_embedding_interleaved', 'test_gridsample_bicubic', 'test_gathernd_example_int32_batch_dim1', 'test_mod_mixed_sign_int32'];
const SOME = 12;

describe.skipIf(!found)('ONNX\'s own operator tests', () => {
  let tests: readonly string[] = [];
  let remove = (): void => undefined;
  beforeAll(() => { ({ tests, remove } = unpackOnnxTests(folder ?? '')); });
  afterAll(() => { remove(); });

  test('a fixed few and some spread over all of them: none fails without a reason', async () => {
    const spread = Array.from({ length: SOME }, (_, index) => tests[Math.floor(((index + 0.37) * tests.length) / SOME)] ?? '');
    const chosen = [...tests.filter((path) => ALWAYS.includes(path.split('/').at(-1) ?? '')), ...spread];
    expect(chosen).toHaveLength(ALWAYS.length + SOME);
    for (const path of chosen) {
      const result = await runNodeTest(path);
      const known = KNOWN_FAILURES.some(({ tests: names }) => names.test(result.test));
      if (!known) expect(result.outcome, `${result.test}: ${result.detail}`).not.toBe('failed');
      if (ALWAYS.includes(result.test)) expect(result.outcome, `${result.test}: ${result.detail}`).toBe('passed');
    }
  }, 60_000);
});
