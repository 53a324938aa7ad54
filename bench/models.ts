/**
 * Tokens and images a second, beside the runtimes that others use, in turn and in the same run:
 * `npx tsx bench/models.ts [--executors wasm,wasm-2,webgpu] [--peer-threads 1,2] [--rounds n]
 * [--only stories,shape,images] [--json]`.
 * Language models answer greedily; a token counts when it was generated. node-llama-cpp is a peer where NODE_LLAMA_CPP names the folder in which it is installed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Executor, PreparedModel } from '../deterministic-runtime/executors/executor.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from '../kernels/language-model/architecture.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { randomWeights } from '../kernels/language-model/random-weights.ts';
import { executorByName } from '../rollup-node/executors.ts';
import { spawnWorker } from '../rollup-node/wasm-workers/spawn.ts';
import { modelFiles } from '../test/models/model-files.ts';
import { loadStories, outputTokens, tokenInput } from '../test/models/stories.ts';
import { conditions } from './measurement.ts';
import { contest } from './models/contest.ts';
import type { Contender, Speed } from './models/contest.ts';
import { writeGguf } from './models/gguf-writer.ts';
import { HOW_TO_INSTALL, openLlamaPeer } from './models/llama-peer.ts';
import type { Generation } from './models/llama-peer.ts';

const { values } = parseArgs({
  options: {
    executors: { type: 'string', default: 'wasm,wasm-2' }, rounds: { type: 'string', default: '7' }, only: { type: 'string', default: 'stories,shape,images' },
    'peer-threads': { type: 'string', default: '1,2' }, json: { type: 'boolean', default: false },
  },
});
const executors = values.executors.split(',');
const rounds = Number(values.rounds);
/** On so many threads each; threads of llama.cpp wait by spinning, so two of them crawl where other programs take the processors. */
const peerThreads = values['peer-threads'].split(',').map(Number);
const only = new Set(values.only.split(','));

interface Contest { readonly model: string; readonly unit: string; readonly peer: string; readonly speeds: readonly Speed[] }

/** About 100 million parameters: 8 layers of 768, a vocabulary of 32,000. */
const SHAPE: Architecture = {
  family: 'llama', vocabulary: 32_000, width: 768, hidden: 2048, layers: 8, heads: 12, keyValueHeads: 12, headSize: 64, context: 256,
  normEpsilon: 1e-5, rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [],
};
const PEER = 'node-llama-cpp, one thread';

/** `wasm-2` is the wasm executor on two threads; the others are names that the command line knows. */
async function openExecutor(name: string): Promise<Executor> {
  const [, workers] = /^wasm-(\d+)$/.exec(name) ?? [];
  if (workers !== undefined) return createWasmExecutor({ workers: Number(workers), spawn: spawnWorker });
  return name === 'wasm' ? createWasmExecutor() : executorByName(name);
}

/** A model on each executor. `run` does one round of work. */
async function ownContenders(model: Model, label: string, run: (prepared: PreparedModel) => Promise<number>): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const name of executors) {
    const executor = await openExecutor(name);
    const prepared = await executor.prepare(model);
    contenders.push({
      name: `${name}${label}`,
      run: () => run(prepared),
      dispose: async () => {
        await prepared.dispose();
        await executor.dispose();
      },
    });
  }
  return contenders;
}

async function held(model: string, unit: string, peer: string, contenders: readonly Contender[], counted: number): Promise<Contest> {
  const speeds = await contest(contenders, counted, 2, peer);
  for (const { dispose } of contenders) await dispose();
  return { model, unit, peer, speeds };
}

/** Answers greedily to the generation's prompt. */
const generating = ({ prompt, newTokens }: Generation) => async (prepared: PreparedModel): Promise<number> => {
  const { output } = await prepared.run(tokenInput(prepared, prompt, { newTokens }), { independentIterations: prompt.length });
  return outputTokens(output).length;
};

async function llamaPeers(file: string, generation: Generation): Promise<Contender[]> {
  const peers = await Promise.all(peerThreads.map((threads) => openLlamaPeer(file, threads, generation)));
  if (peers.includes(null)) console.error(HOW_TO_INSTALL);
  return peers.filter((peer) => peer !== null);
}

async function stories(folder: string): Promise<Contest> {
  const { weights, beginToken, close } = await loadStories(folder);
  // The story of the begin token alone ends after some 200 tokens.
  const generation = { prompt: [beginToken], newTokens: 180, context: 512 };
  const greedy = await buildLanguageModel(weights, { sampling: false });
  const sampling = await buildLanguageModel(weights);
  await close();
  const contenders = [
    ...await ownContenders(greedy, '', generating(generation)),
    ...await ownContenders(sampling, ', program with sampling', generating(generation)),
    ...await llamaPeers(join(folder, 'llm/stories260K-q8_0.gguf'), generation),
  ];
  return held('stories260K', 'tokens', PEER, contenders, rounds);
}

async function shape(): Promise<Contest> {
  const source = randomWeights(SHAPE);
  const generation = { prompt: [1], newTokens: 24, context: 256 };
  const options = { sampling: false, tokenWeightBits: 8, promptLimit: 64, newTokenLimit: 64 } as const;
  const folder = await mkdtemp(join(tmpdir(), 'assay-models-'));
  try {
    const file = join(folder, 'shape.gguf');
    await writeGguf(file, source);
    const contenders = [
      ...await ownContenders(await buildLanguageModel(source, { ...options, activationBits: 8, attentionBits: 8 }), ', activations of 8 bits', generating(generation)),
      ...await ownContenders(await buildLanguageModel(source, options), ', activations of 16 bits', generating(generation)),
      ...await llamaPeers(file, generation),
    ];
    return await held('Llama shape, 106 million parameters, weights of 8 bits (q8_0)', 'tokens', PEER, contenders, Math.min(5, rounds));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function images(folder: string): Promise<Contest[]> {
  // Loaded when it is needed: runtimes for images are large.
  const { imageModels } = await import('./models/image-models.ts');
  const contests: Contest[] = [];
  for (const { name, model, input, peers } of imageModels(folder)) {
    const count = 50;
    const own = await ownContenders(model, '', async (prepared) => {
      for (let image = 0; image < count; image += 1) await prepared.run(input);
      return count;
    });
    const others = await peers(count);
    contests.push(await held(name, 'images', others[0]!.name, [...own, ...others], rounds));
  }
  return contests;
}

const folder = modelFiles();
if (folder === null) console.error('without stories260K and the models of images: the folder of models (../shared/models, or ASSAY_MODELS) is missing');
const contests: Contest[] = [];
const before = conditions();
if (folder !== null && only.has('stories')) contests.push(await stories(folder));
if (only.has('shape')) contests.push(await shape());
if (folder !== null && only.has('images')) contests.push(...await images(folder));
const during = { ...before, loadAfterwards: conditions().load };
if (values.json) {
  console.log(JSON.stringify({ conditions: during, contests }, null, 2));
} else {
  console.log(JSON.stringify(during));
  for (const { model, unit, peer, speeds } of contests) {
    console.log(`\n${model}: ${unit} a second; the same of processor time; and their ratios to ${peer}`);
    for (const { name, median, least, greatest, byProcessor, ratio, ratioByProcessor } of speeds) {
      const ratios = ratio === undefined ? '' : `  × ${ratio}, × ${ratioByProcessor}`;
      console.log(`  ${name.padEnd(42)} ${String(median).padStart(8)}  (${least} to ${greatest})  ${String(byProcessor).padStart(8)}${ratios}`);
    }
  }
}
process.exit();
