import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SpawnWorker } from '../../deterministic-runtime/wasm/executor.ts';

/** Threads that `spawnWorker` is used for when nobody says how many: one a processor, but no more than pays. */
const MOST_BY_DEFAULT = 8;

/** Starts Node's worker threads for `createWasmExecutor`. They do not keep the process alive. */
export const spawnWorker: SpawnWorker = (start, onEnd) => {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: start, execArgv: [], env: {} });
  let ended = false;
  worker.unref();
  worker.on('error', (cause) => { onEnd(new Error('a worker thread of the wasm executor failed: prepare the model again', { cause })); });
  worker.on('exit', () => {
    if (!ended) onEnd(new Error('a worker thread of the wasm executor ended: prepare the model again'));
  });
  return {
    async terminate() {
      ended = true;
      await worker.terminate();
    },
  };
};

/** How many threads the wasm executor should use on this machine. */
export const defaultWorkers = (): number => Math.min(MOST_BY_DEFAULT, availableParallelism());
