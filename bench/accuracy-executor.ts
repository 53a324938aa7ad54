import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { createWebGpuExecutor } from '../deterministic-runtime/webgpu/executor.ts';
import { createWordMachineExecutor } from '../fraud-proof/machine/executor.ts';
import { openWebGpu } from '../rollup-node/webgpu/open.ts';

const EXECUTORS: Readonly<Record<string, () => Promise<Executor>>> = {
  wasm: async () => createWasmExecutor(),
  lifted: async () => createLiftedExecutor(),
  'word-machine': async () => createWordMachineExecutor(),
  webgpu: async () => createWebGpuExecutor({ gpu: (await openWebGpu({ allowSoftware: true })).gpu }),
};

/** Executors by name, comma separated; the first gives the answers, the others must give the same bits. @throws Error for a name that is none. */
export function openExecutors(names: string): Promise<Executor[]> {
  return Promise.all(
    names.split(',').map((name) => {
      const open = EXECUTORS[name];
      if (open === undefined) throw new Error(`no executor is called ${name}; there are ${Object.keys(EXECUTORS).join(', ')}`);
      return open();
    }),
  );
}

/** A share in per cent, to two places; null of nothing. */
export const percent = (part: number, whole: number): number | null => (whole === 0 ? null : Math.round((10_000 * part) / whole) / 100);

/** Prints results: as JSON, or a line each. */
export function report(results: Readonly<Record<string, unknown>>, json: boolean): void {
  if (json) console.log(JSON.stringify(results));
  else for (const [name, value] of Object.entries(results)) console.log(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`);
}
