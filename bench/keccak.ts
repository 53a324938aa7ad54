/**
 * Hashes a second of the generated WebAssembly, a tree level a call, beside noble's JavaScript, 64 bytes a hash, on one thread, in the same run; and with `--webgpu` of the
 * trees in WGSL on the device that there is, a software driver included: `npx tsx bench/keccak.ts [--webgpu] [--json]`. Rounds are short, so that some of many
 * find the processor free: `best` is of those. The digests are compared first. Exit code 1 when they differ, or WebAssembly is not faster than JavaScript.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hashPairs } from '../deterministic-runtime/commitment/keccak.ts';
import { treeRoot } from '../deterministic-runtime/commitment/tree.ts';
import { measureHasher, wasmHasher } from '../fraud-proof/trace/tensor-hasher.ts';
import { openHasher } from '../rollup-node/inference/hasher.ts';
import { conclude, conditions, median, rounded } from './measurement.ts';

const RUNS = 200;
const PAIRS = 8_192;
const NOBLE_PAIRS = 256;
const PAIR_BYTES = 64;

const nodes = new Uint8Array(PAIRS * PAIR_BYTES);
let state = 1;
for (let index = 0; index < nodes.length; index += 1) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  nodes[index] = state >>> 24;
}

/** Digests of the first pairs, by noble. */
function nobleLevel(pairs: number): Uint8Array {
  const digests = new Uint8Array((pairs * PAIR_BYTES) / 2);
  for (let pair = 0; pair < pairs; pair += 1) digests.set(keccak_256(nodes.subarray(pair * PAIR_BYTES, (pair + 1) * PAIR_BYTES)), pair * 32);
  return digests;
}

/** Hashes a second, of one run. */
function rate(hashes: number, run: () => unknown): number {
  const start = performance.now();
  run();
  return (1_000 * hashes) / (performance.now() - start);
}

/** Megabytes of tensors committed to a second, leaves and all levels above them. */
async function devices(): Promise<object> {
  const { hasher, dispose } = await openHasher('webgpu');
  const [webgpu, wasm] = [await measureHasher(hasher), await measureHasher(wasmHasher)];
  dispose();
  if (Buffer.compare(webgpu.commitments, wasm.commitments) !== 0) throw new Error('the device gives other commitments');
  return { commitmentMegabytesASecond: { webgpu: rounded(webgpu.bytesPerSecond / 1e6), wasm: rounded(wasm.bytesPerSecond / 1e6) } };
}

const started = conditions();
const own = hashPairs(nodes);
const same = Buffer.compare(own.subarray(0, (NOBLE_PAIRS * PAIR_BYTES) / 2), nobleLevel(NOBLE_PAIRS)) === 0;
const rates = { wasm: [] as number[], noble: [] as number[], tree: [] as number[] };
for (let run = 0; run < RUNS; run += 1) {
  rates.wasm.push(rate(PAIRS, () => hashPairs(nodes)));
  rates.noble.push(rate(NOBLE_PAIRS, () => nobleLevel(NOBLE_PAIRS)));
  rates.tree.push(rate(2 * PAIRS - 1, () => treeRoot(nodes)));
}
const figures = (values: readonly number[]): object => ({ median: Math.round(median(values)), best: Math.round(Math.max(...values)) });
conclude(
  {
    ...started,
    hashesASecond: { wasm: figures(rates.wasm), wholeTree: figures(rates.tree), noble: figures(rates.noble) },
    wasmToNoble: rounded(median(rates.wasm) / median(rates.noble)),
    runs: RUNS,
    ...(process.argv.includes('--webgpu') ? await devices() : {}),
  },
  { 'both give the same digests': same, 'WebAssembly is faster': median(rates.wasm) > median(rates.noble) },
  process.argv.includes('--json'),
);
