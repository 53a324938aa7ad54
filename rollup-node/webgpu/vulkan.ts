import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { UserError } from '../errors.ts';

/** glibc's RTLD_NODELETE: the library stays although Node unloads what turns out to be no addon. */
const RTLD_NODELETE = 0x1000;
const LOADER = 'libvulkan.so.1';
/** Variables that tell the Vulkan loader which drivers to take; the first is the newer name and wins. */
const DRIVER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const;

/** True when the user chose the Vulkan drivers. */
export const driversAreChosen = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  DRIVER_VARIABLES.some((name) => (environment[name] ?? '') !== '');

/** True when the kernel shows a device that might be a GPU: without one, asking every driver is slow and noisy. */
export function hasGpuDevice(folder = '/dev'): boolean {
  const names = (path: string): string[] => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  };
  return names(folder).some((name) => /^(?:nvidia\d|nvidiactl|dxg|kfd|mali|kgsl)/.test(name)) || names(`${folder}/dri`).some((name) => name.startsWith('render'));
}

/** Loads the system's Vulkan loader for the rest of the process. False when there is none. */
export const loadSystemVulkan = (): boolean => loadLibrary(LOADER);

/**
 * Loads a Vulkan loader that lies at `path`. Dawn asks the dynamic linker for `libvulkan.so.1` by name; a library of that
 * SONAME which the process already has is what it gets, so no search path needs changing.
 * @throws Error when the library cannot be loaded.
 */
export function loadVulkan(path: string): void {
  if (!loadLibrary(path)) throw new Error(`cannot load ${path}`);
}

function loadLibrary(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    // Node complains that a library which is no addon "did not self-register", after it was loaded.
    return error instanceof Error && error.message.includes('did not self-register');
  }
  return true;
}

/**
 * Runs `work` while the Vulkan loader sees only the driver with this manifest.
 * @throws UserError in a worker thread, whose environment variables are not the process's.
 */
export async function withDriver<T>(manifest: string, work: () => Promise<T>): Promise<T> {
  if (!isMainThread) throw new UserError('software WebGPU can only be opened by the main thread', { hint: 'run it in a process of its own' });
  const before = DRIVER_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of DRIVER_VARIABLES) process.env[name] = manifest;
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
