/**
 * Makes a bundle of more than 4 GiB from generated weights of Llama-2-7B's dimensions, reads it in a process of its own, and tells what memory both
 * took: `npx tsx test/evidence/large-bundle.ts [--layers 20] [--folder <where>] [--webgpu]`. Needs the bundle's size on disk twice, some 10 GB with 20 layers. `--webgpu` also computes a
 * token, on whatever WebGPU there is. Exit code 1 when ids or constants differ, or a process held a quarter of the weights or more.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from 'viem';
import { conclude, conditions, rounded } from '../../bench/measurement.ts';
import { fileStore } from '../../deterministic-runtime/bundle/constant-store.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { byteLength } from '../../deterministic-runtime/program/tensor.ts';
import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { decodeTokens, encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { readBundleDirectory, writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { openSpoolFile } from '../../rollup-node/spool-file.ts';
import { openWebGpu } from '../../rollup-node/webgpu/open.ts';

const option = (name: string): string | undefined => {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
};
const peakGB = (): number => process.resourceUsage().maxRSS / 1e6;
const seconds = (since: number): number => rounded((performance.now() - since) / 1000);

/** What the process that reads says. */
interface Reading {
  readonly modelId: string;
  readonly seconds: number;
  readonly peakGB: number;
  /** Constants that were read again, and had the commitments of the first pass. */
  readonly right: boolean;
  readonly token?: { readonly seconds: number; readonly again: number; readonly prepareSeconds: number; readonly adapter: string; readonly tokens: readonly number[]; readonly same: boolean };
}

async function read(directory: string, webgpu: boolean): Promise<Reading> {
  const start = performance.now();
  const model = await readBundleDirectory(directory);
  const encoded = admit(model);
  const opened = seconds(start);
  const largest = model.program.constants.reduce((best, shape, index) => (byteLength(shape) > byteLength(model.program.constants[best]!) ? index : best), 0);
  const right = [0, largest, model.constants.length >> 1, model.constants.length - 1].every((index) => bytesToHex(commitTensor(model.constants[index]!)) === bytesToHex(encoded.constants[index]!));
  const reading = { modelId: bytesToHex(encoded.modelId), seconds: opened, peakGB: rounded(peakGB()), right };
  if (!webgpu) return reading;
  const executor = await createWebGpuExecutor({ gpu: (await openWebGpu({ allowSoftware: true })).gpu });
  const [input, began] = [encodePrompt(model, [1, 5, 7], { maximumTokens: 1 }), performance.now()];
  const prepared = await executor.prepare(model);
  const [prepareSeconds, first] = [seconds(began), performance.now()];
  const { output } = await prepared.run(input);
  const [firstSeconds, second] = [seconds(first), performance.now()];
  const again = await prepared.run(input, { independentIterations: 3 });
  const token = { seconds: firstSeconds, again: seconds(second), prepareSeconds, adapter: executor.adapter, tokens: decodeTokens(model, output), same: Buffer.compare(output, again.output) === 0 };
  return { ...reading, token };
}

const directory = option('--read');
if (directory !== undefined) console.log(JSON.stringify(await read(directory, process.argv.includes('--webgpu'))));
else {
  const started = conditions();
  const layers = Number(option('--layers') ?? 20);
  const architecture: Architecture = {
    family: 'llama', vocabulary: 32000, width: 4096, hidden: 11008, layers, heads: 32, keyValueHeads: 32, headSize: 128, context: 4096, normEpsilon: 1e-5,
    rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
  };
  const folder = await mkdtemp(join(option('--folder') ?? tmpdir(), 'assay-large-'));
  try {
    const target = join(folder, 'bundle');
    const building = performance.now();
    const spool = await openSpoolFile(target);
    const model = await buildLanguageModel(randomWeights(architecture), { promptLimit: 16, newTokenLimit: 16, store: fileStore(spool) });
    const modelId = bytesToHex(admit(model).modelId);
    const built = seconds(building);
    const writing = performance.now();
    await writeBundleDirectory(target, model);
    spool.close();
    const written = seconds(writing);
    const weights = (await stat(join(target, 'weights.bin'))).size;
    const builder = { buildSeconds: built, writeSeconds: written, peakGB: rounded(peakGB()) };
    const reader = JSON.parse(execFileSync(process.execPath, [...process.execArgv, import.meta.filename, '--read', target, ...(process.argv.includes('--webgpu') ? ['--webgpu'] : [])], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Reading;
    conclude({ ...started, layers, weightBytes: weights, builder, reader }, {
      'more than 4 GiB': weights > 2 ** 32,
      'the bundle that is read has the model that was built': reader.modelId === modelId,
      'constants are what was committed to': reader.right,
      'neither process held a quarter of the weights': Math.max(builder.peakGB, reader.peakGB) * 4e9 < weights,
      ...(reader.token === undefined ? {} : { 'prompt tokens side by side give the same': reader.token.same }),
    }, process.argv.includes('--json'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
