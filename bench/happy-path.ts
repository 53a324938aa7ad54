/**
 * What the rollup adds to an inference that nobody disputes: the time of a run alone, and of the same inference as the sequencer does it between a request and
 * its assertion (the input checked against its commitment, the run, the output's commitment, the result stored on disk), on WebAssembly; and as contrast what a
 * dispute needs: all tensors kept, and committed to. Every round takes a new input and times all of them, in turning order; medians over the rounds:
 * `npx tsx bench/happy-path.ts [--rounds n] [--json]`. The part of the sequencer's path that looks into the store and writes to it is timed by itself as well.
 * Exit code 1 when the sequencer's path asks the executor for more than the result, or runs anything twice.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bytesToHex, numberToHex } from 'viem';
import { commitTensor } from '../deterministic-runtime/commitment/tree.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { RunTensors } from '../fraud-proof/trace/run-tensors.ts';
import { createInference } from '../rollup-node/inference/inference.ts';
import type { InferenceRequest } from '../rollup-node/inference/inference.ts';
import { libraryOf, localModel } from '../rollup-node/inference/models.ts';
import { silentLogger } from '../rollup-node/log.ts';
import { createMetrics } from '../rollup-node/metrics.ts';
import { requestElements } from '../rollup-node/model-values.ts';
import { openStore } from '../rollup-node/store/store.ts';
import { landeContestant, mnistContestant } from '../test/disputes/contestants.ts';
import type { Contestant } from '../test/disputes/random-matches.ts';
import { recordRuns } from '../test/evidence/record-runs.ts';
import { modelFiles } from '../test/models/model-files.ts';
import { linearLayers } from './linear-layers.ts';
import { conclude, conditions, median, progress, rounded } from './measurement.ts';

const WARM_UP = 20;
const SEED = new Uint8Array(32);

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, json: { type: 'boolean', default: false } } });

/** Milliseconds of each way, over all rounds, and whether the sequencer's path asked for results alone. */
async function measure({ name, model, input }: Contestant, rounds: number, folder: string): Promise<{ readonly milliseconds: Record<string, number>; readonly resultsAlone: boolean }> {
  const local = localModel(model);
  const executor = createWasmExecutor();
  const prepared = await executor.prepare(model);
  // One prepared model for all: a second copy of the weights would drive the first out of the processor's cache.
  const recorded = recordRuns({ ...executor, prepare: async () => prepared });
  const store = await openStore(join(folder, name));
  const inference = createInference({ models: libraryOf([local]), executor: recorded.executor, store, log: silentLogger(), metrics: createMetrics() });
  const reached = progress(`rounds of ${name}`, rounds + WARM_UP);
  const times: Record<string, number[]> = {};
  const seen = new Set<string>();
  for (let round = 0, number = 0; round < rounds + WARM_UP; number += 1) {
    const words = input(number);
    const inputCommitment = bytesToHex(commitTensor(words));
    if (seen.has(inputCommitment)) continue;
    seen.add(inputCommitment);
    const request: InferenceRequest = {
      requestId: numberToHex(number, { size: 32 }), modelId: local.modelId, input: bytesToHex(requestElements(model, words)), inputCommitment, seed: bytesToHex(SEED),
    };
    const ways: Record<string, () => Promise<unknown>> = {
      alone: () => prepared.run(words, { seed: SEED }),
      sequencer: () => inference.result(request, { verified: true }),
      allTensorsKept: () => prepared.run(words, { seed: SEED, keep: 'all' }),
      allTensorsCommitted: async () => RunTensors.commit(local.encoded, { input: words, seed: SEED }, await prepared.run(words, { seed: SEED, keep: 'all' })),
      store: async () => {
        await store.get('results', `bench!${number}`);
        await store.write([{ table: 'results', key: `bench!${number}`, value: { output: words.subarray(0, 32), outputCommitment: inputCommitment, iterations: 0, executor: 'wasm', milliseconds: 0 } }]);
      },
    };
    const names = Object.keys(ways);
    for (let turn = 0; turn < names.length; turn += 1) {
      const way = names[(turn + round) % names.length] as string;
      const start = performance.now();
      await ways[way]?.();
      if (round >= WARM_UP) (times[way] ??= []).push(performance.now() - start);
    }
    reached(round);
    round += 1;
  }
  await inference.dispose();
  await store.close();
  const runs = recorded.runs.length === seen.size && recorded.runs.every(({ keep, tensorsRead }) => keep === 'result' && tensorsRead === 0);
  return { milliseconds: Object.fromEntries(Object.entries(times).map(([way, samples]) => [way, median(samples)])), resultsAlone: runs };
}

const started = conditions();
const models = modelFiles();
if (models === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
const folder = await mkdtemp(join(tmpdir(), 'assay-happy-path-'));
const results: Record<string, object> = {};
const claims: Record<string, boolean> = {};
try {
  for (const contestant of [await landeContestant(), mnistContestant(models), linearLayers()]) {
    const { milliseconds, resultsAlone } = await measure(contestant, Number(values.rounds), folder);
    const alone = milliseconds['alone'] ?? Number.NaN;
    results[contestant.name] = Object.fromEntries(Object.entries(milliseconds).map(([way, time]) => [way, { milliseconds: rounded(time), ratio: rounded(time / alone), more: rounded(time - alone) }]));
    claims[`${contestant.name}: the sequencer runs each request once, and asks for nothing but the result`] = resultsAlone;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
conclude({ ...started, rounds: Number(values.rounds), ...results }, claims, values.json);
