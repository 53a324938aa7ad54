import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { TensorHasher } from '../../fraud-proof/trace/tensor-hasher.ts';
import { tokenLoop } from '../../test/models/token-loop.ts';
import { silentLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { idOf } from '../testing/records.ts';
import { createInference, resultKey } from './inference.ts';
import type { Inference } from './inference.ts';
import { inputWords, libraryOf, localModel } from './models.ts';

const model = localModel(tokenLoop());
const elements = Uint8Array.from({ length: 40 }, (_, index) => (index === 0 ? 0 : index * 7));
const input = inputWords(model.encoded.model.program.input, elements);
const request = { requestId: idOf(1), modelId: model.modelId, input: bytesToHex(elements), inputCommitment: bytesToHex(commitTensor(input)), seed: idOf(0) };
const key = resultKey(request);

let folder: string;
let store: Store;
let hashed: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-commitments-'));
  store = await openStore(folder);
  hashed = 0;
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A node's inference; it counts the tensors that it hashes. */
function fresh(): Inference {
  const hasher: TensorHasher = {
    name: 'wasm', groupBytes: 1_000,
    commit: (tensors) => {
      hashed += tensors.length;
      return Buffer.concat(tensors.map(commitTensor));
    },
  };
  return createInference({ models: libraryOf([model]), executor: createWasmExecutor(), store, log: silentLogger(), metrics: createMetrics(), hasher });
}

async function states(inference: Inference): Promise<readonly string[]> {
  const trace = await inference.trace(request);
  return trace.stateAt(Array.from({ length: 40 }, (_, part) => (trace.steps * BigInt(part)) / 39n));
}

test('a node that starts again hashes nothing, and names the same states', async () => {
  const first = await states(fresh());
  expect(hashed).toBeGreaterThan(20);
  hashed = 0;
  expect(await states(fresh())).toEqual(first);
  expect(hashed).toBe(0);
});

test('damaged commitments are computed again', async () => {
  const first = await states(fresh());
  const record = (await store.get('slotCommitments', key))!;
  for (const damaged of [
    { ...record, inOrder: record.inOrder.map((byte, index) => (index === 77 ? byte ^ 1 : byte)) },
    { ...record, iterations: record.iterations - 1 },
    { ...record, epilogue: record.epilogue.slice(32) },
  ]) {
    await store.write([{ table: 'slotCommitments', key, value: damaged }]);
    hashed = 0;
    expect(await states(fresh())).toEqual(first);
    expect(hashed).toBeGreaterThan(20);
  }
});

test('they go when no dispute needs them any more', async () => {
  const inference = fresh();
  await states(inference);
  await inference.keepTraces(new Set([request.requestId]));
  expect(await store.get('slotCommitments', key)).toBeDefined();
  await inference.keepTraces(new Set());
  expect(await store.get('slotCommitments', key)).toBeUndefined();
});

test('what a liar commits to is not stored as the truth', async () => {
  const slot = 2;
  const liar = createInference({
    models: libraryOf([model]), executor: createWasmExecutor(), store, log: silentLogger(), metrics: createMetrics(),
    chooseFault: () => ({ kind: 'word', slot, word: 0, value: new Uint8Array(32).fill(5) }),
  });
  const lies = await states(liar);
  expect(await store.get('slotCommitments', key)).toBeUndefined();
  expect(await states(fresh())).not.toEqual(lies);
});
