import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import { UserError } from './errors.ts';

/** Names that the command line and the configuration take. */
export const EXECUTOR_NAMES = ['auto', 'webgpu', 'wasm', 'lifted', 'word-machine'] as const;
export type ExecutorName = (typeof EXECUTOR_NAMES)[number];

/** Each executor's code is loaded when it is asked for: Dawn alone is 30 MB. */
const OPEN: Readonly<Record<Exclude<ExecutorName, 'auto'>, () => Promise<Executor>>> = {
  webgpu: () => openWebGpuExecutor(true),
  wasm: openWasmExecutor,
  lifted: async () => (await import('../deterministic-runtime/lift/executor.ts')).createLiftedExecutor(),
  'word-machine': async () => (await import('../fraud-proof/machine/executor.ts')).createWordMachineExecutor(),
};

/** On as many threads as there are processors; models with little to divide run on one all the same. */
async function openWasmExecutor(): Promise<Executor> {
  const [{ createWasmExecutor }, { defaultWorkers, spawnWorker }] = await Promise.all([import('../deterministic-runtime/wasm/executor.ts'), import('./wasm-workers/spawn.ts')]);
  return createWasmExecutor({ workers: defaultWorkers(), spawn: spawnWorker });
}

async function openWebGpuExecutor(allowSoftware: boolean): Promise<Executor> {
  const [{ openWebGpu }, { createWebGpuExecutor }] = await Promise.all([import('./webgpu/open.ts'), import('../deterministic-runtime/webgpu/executor.ts')]);
  const { gpu } = await openWebGpu({ allowSoftware });
  return createWebGpuExecutor({ gpu });
}

/**
 * Opens an executor by its name. `auto` is a GPU where there is one that computes correctly, else WebAssembly; `webgpu` takes a software driver
 * where there is no GPU.
 * @throws UserError when the name is unknown or there is no such executor on this machine.
 */
export async function executorByName(name: string): Promise<Executor> {
  if (name === 'auto') return openWebGpuExecutor(false).catch(() => OPEN.wasm());
  if (!Object.hasOwn(OPEN, name)) throw new UserError(`there is no executor '${name}'`, { hint: `choose one of ${EXECUTOR_NAMES.join(', ')}` });
  return OPEN[name as keyof typeof OPEN]();
}
