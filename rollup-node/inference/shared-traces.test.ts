import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from 'viem';
import type { Hex } from 'viem';
import { expect, test } from 'vitest';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { silentLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { openStore } from '../store/store.ts';
import { idOf } from '../testing/records.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { createInference } from './inference.ts';
import { inputWords, libraryOf, localModel } from './models.ts';

const model = localModel(tinyModel());

const request = (number: number, salt: number) => {
  const elements = Uint8Array.from({ length: 64 }, (_, index) => (index * 29 + salt) % 256);
  const inputCommitment: Hex = bytesToHex(commitTensor(inputWords(model.encoded.model.program.input, elements)));
  return { requestId: idOf(number), modelId: model.modelId, input: bytesToHex(elements), inputCommitment, seed: idOf(0) };
};

test('requests for the same inference share a trace, until none of them is disputed', async () => {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-shared-')));
  const inference = createInference({ models: libraryOf([model]), executor: createWasmExecutor(), store, log: silentLogger(), metrics: createMetrics() });
  const [first, same, other] = [request(1, 5), request(2, 5), request(3, 6)];
  const trace = await inference.trace(first);
  expect(await inference.trace(same)).toBe(trace);
  expect(await inference.trace(other)).not.toBe(trace);
  expect(await store.list('slotCommitments')).toHaveLength(2);
  await inference.keepTraces(new Set([same.requestId]));
  expect(await store.list('slotCommitments')).toHaveLength(1);
  expect(await inference.trace(same)).toBe(trace);
  await inference.keepTraces(new Set());
  expect(await store.list('slotCommitments')).toEqual([]);
  expect(await inference.trace(first)).not.toBe(trace);
  await inference.dispose();
  await store.close();
}, 30_000);
