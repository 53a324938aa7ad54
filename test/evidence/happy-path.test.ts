import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesToHex } from 'viem';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { createInference } from '../../rollup-node/inference/inference.ts';
import type { InferenceRequest } from '../../rollup-node/inference/inference.ts';
import { libraryOf, localModel } from '../../rollup-node/inference/models.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { smallContestant } from '../disputes/contestants.ts';
import { recordRuns } from './record-runs.ts';

test('a result that nobody disputes costs one run, which keeps nothing but the output; a trace looks inside', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-happy-path-'));
  const store = await openStore(folder);
  try {
    const { model, input } = smallContestant();
    const local = localModel(model);
    const { executor, runs } = recordRuns(createWasmExecutor());
    const inference = createInference({ models: libraryOf([local]), executor, store, log: silentLogger(), metrics: createMetrics() });
    const request: InferenceRequest = {
      requestId: bytesToHex(new Uint8Array(32)), modelId: local.modelId, input: bytesToHex(input(1)), inputCommitment: bytesToHex(commitTensor(input(1))), seed: bytesToHex(new Uint8Array(32)),
    };
    const { outputCommitment } = await inference.result(request, { verified: true });
    expect(runs).toEqual([{ keep: 'result', tensorsRead: 0 }]);
    await inference.result(request, { verified: true });
    expect(runs).toHaveLength(1);

    const trace = await openTrace({ prepared: await executor.prepare(model), input: input(1) });
    expect(bytesToHex(commitTensor(trace.output))).toBe(outputCommitment);
    expect(runs).toHaveLength(2);
    expect(runs[1]?.tensorsRead).toBeGreaterThanOrEqual(slotCount(model.program));
    await inference.dispose();
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
