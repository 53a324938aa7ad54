// A worker thread of the wasm executor: does what commands in shared memory say, until it is told to stop. Plain JavaScript, since threads start without
// the loader that reads TypeScript. See `WorkerStart` in deterministic-runtime/wasm/engine.ts.
import { workerData } from 'node:worker_threads';

const { module, memory, names, thread, control, offsets } = workerData;
const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
const calls = names.map((name) => exports[name]);
for (let command = 0; ;) {
  command = exports.await(command);
  const words = new Int32Array(memory.buffer);
  const index = words[(control + offsets.function) / 4];
  if (index === offsets.stop) break;
  const first = (control + offsets.arguments + thread * offsets.argumentsBytes) / 4;
  calls[index](...words.subarray(first, first + words[(control + offsets.argumentCount) / 4]));
  exports.barrier();
}
