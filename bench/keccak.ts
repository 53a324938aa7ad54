/**
 * Hashes a second of the generated WebAssembly, a tree level a call, beside noble's JavaScript, 64 bytes a hash, on one thread, in the same run:
 * `npx tsx bench/keccak.ts [--json]`. The digests are compared first. Exit code 1 when they differ, or WebAssembly is not faster.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hashPairs } from '../deterministic-runtime/commitment/keccak.ts';
import { treeRoot } from '../deterministic-runtime/commitment/tree.ts';
import { conclude, conditions, median, rounded } from './measurement.ts';

const RUNS = 15;
const PAIRS = 65_536;
const NOBLE_PAIRS = 4_096;
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

const started = conditions();
const own = hashPairs(nodes);
const same = Buffer.compare(own.subarray(0, (NOBLE_PAIRS * PAIR_BYTES) / 2), nobleLevel(NOBLE_PAIRS)) === 0;
const rates = { wasm: [] as number[], noble: [] as number[], tree: [] as number[] };
for (let run = 0; run < RUNS; run += 1) {
  rates.wasm.push(rate(PAIRS, () => hashPairs(nodes)));
  rates.noble.push(rate(NOBLE_PAIRS, () => nobleLevel(NOBLE_PAIRS)));
  rates.tree.push(rate(2 * PAIRS - 1, () => treeRoot(nodes)));
}
const [wasm, noble, tree] = [median(rates.wasm), median(rates.noble), median(rates.tree)];
conclude(
  {
    ...started,
    hashesASecond: { wasm: Math.round(wasm), wasmBest: Math.round(Math.max(...rates.wasm)), wholeTree: Math.round(tree), noble: Math.round(noble), nobleBest: Math.round(Math.max(...rates.noble)) },
    wasmToNoble: rounded(wasm / noble),
    runs: RUNS,
  },
  { 'both give the same digests': same, 'WebAssembly is faster': wasm > noble },
  process.argv.includes('--json'),
);
