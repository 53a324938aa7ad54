/**
 * What one side of a dispute needs, alone in its process: `npx tsx bench/dispute-side.ts <model>` prints, as JSON, the seconds and the processor's seconds to run an
 * inference again with all tensors kept and to commit to them, and megabytes: of the process before, at its peak, and of the trace that stays.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { CALLDATA_ARITY, splitBounds } from '../fraud-proof/dispute/split.ts';
import { openTrace } from '../fraud-proof/trace/trace.ts';
import { contestantNamed } from '../test/disputes/contestants.ts';
import { rounded } from './measurement.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const megabytes = (bytes: number): number => rounded(bytes / 1e6);
/** Array buffers are let go of behind a collection, by another thread. */
const inUse = async (): Promise<number> => {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const { model, input } = await contestantNamed(process.argv[2] ?? '');
encodeModel(model);
const prepared = await createWasmExecutor().prepare(model);
const words = input(1);
await prepared.run(words);
const before = await inUse();
const processBefore = process.memoryUsage().rss;
const [started, processor] = [performance.now(), process.cpuUsage()];
const trace = await openTrace({ prepared, input: words });
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(processor);
const split = performance.now();
await trace.stateAt(splitBounds({ start: 0n, length: trace.steps }, CALLDATA_ARITY));
const splitSeconds = (performance.now() - split) / 1_000;
console.log(JSON.stringify({
  iterations: trace.tensors.iterations,
  seconds: rounded(seconds), processorSeconds: rounded((user + system) / 1e6), firstSplitSeconds: rounded(splitSeconds),
  traceMegabytes: megabytes((await inUse()) - before), processMegabytesBefore: megabytes(processBefore), processMegabytesPeak: megabytes(process.resourceUsage().maxRSS * 1024),
}));
