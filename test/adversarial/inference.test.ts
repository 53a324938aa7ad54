import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from 'viem';
import { expect, test } from 'vitest';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWordMachineExecutor } from '../../fraud-proof/machine/executor.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { createInference } from '../../rollup-node/inference/inference.ts';
import { libraryOf, localModel } from '../../rollup-node/inference/models.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { idOf } from '../../rollup-node/testing/records.ts';
import { tinyModel } from '../../rollup-node/testing/tiny-model.ts';

/** An executor whose results are right and whose first tensor is not: a driver's bug that no comparison of outputs shows. */
function brokenInside(): Executor {
  const right = createWordMachineExecutor();
  return {
    ...right,
    name: 'webgpu',
    prepare: async (model) => {
      const prepared = await right.prepare(model);
      return {
        model,
        dispose: () => prepared.dispose(),
        run: async (input, options) => {
          const result = await prepared.run(input, options);
          return { ...result, tensor: (slot) => (slot === 0 ? result.tensor(slot)?.map((byte) => byte ^ 1) : result.tensor(slot)) };
        },
      };
    },
  };
}

test('a dispute is played on the code that the chain replays, not on what the executor left in its tensors', async () => {
  const model = localModel(tinyModel());
  const { input: shape } = model.encoded.model.program;
  const elements = Uint8Array.from({ length: 64 }, (_, index) => index * 3);
  const input = packTensor(shape, elements);
  const honest = await openTrace({ prepared: await createWordMachineExecutor().prepare(model.encoded.model), input });
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-inference-')));
  const inference = createInference({ models: libraryOf([model]), executor: brokenInside(), store, log: silentLogger(), metrics: createMetrics() });
  const request = { requestId: idOf(1), modelId: model.modelId, input: bytesToHex(elements), inputCommitment: bytesToHex(commitTensor(input)), seed: idOf(0) };
  const trace = await inference.trace(request);
  const steps = Array.from({ length: 17 }, (_, index) => (honest.steps * BigInt(index)) / 16n);
  expect(await trace.stateAt(steps)).toEqual(await honest.stateAt(steps));
  await inference.dispose();
  await store.close();
});
