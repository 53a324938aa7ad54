import { describeAdapter } from '../../deterministic-runtime/webgpu/adapter.ts';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import { unpackSwiftShader } from './swiftshader.ts';
import { driversAreChosen, hasGpuDevice, loadSystemVulkan, loadVulkan, withDriver } from './vulkan.ts';

/** A WebGPU implementation that has an adapter. */
export interface OpenedWebGpu {
  readonly gpu: GPU;
  readonly adapterDescription: string;
  /** True for a driver that runs on the processor. */
  readonly isSoftware: boolean;
}

export interface OpenWebGpuOptions {
  /** Whether SwiftShader may stand in where there is no GPU. It is exact, and some thirty times slower than WebAssembly. */
  readonly allowSoftware: boolean;
}

/**
 * Each kind is opened once, and never given up: when the object that Dawn's `create` returns is collected while a device
 * lives, the process crashes.
 */
const opened = new Map<'hardware' | 'software', Promise<OpenedWebGpu | null>>();

function once(kind: 'hardware' | 'software', open: () => Promise<OpenedWebGpu | null>): Promise<OpenedWebGpu | null> {
  const known = opened.get(kind);
  if (known !== undefined) return known;
  const opening = open();
  opened.set(kind, opening);
  opening.catch(() => opened.delete(kind));
  return opening;
}

/**
 * Opens WebGPU through Dawn: a GPU where there is one, else, if allowed, SwiftShader. On Linux, `VK_DRIVER_FILES` and
 * `VK_ICD_FILENAMES` are respected: a software driver that they name is taken instead of SwiftShader.
 * @throws UserError when there is no adapter.
 */
export async function openWebGpu({ allowSoftware }: OpenWebGpuOptions): Promise<OpenedWebGpu> {
  const hardware = await once('hardware', openSystem);
  if (hardware !== null && (allowSoftware || !hardware.isSoftware)) {
    if (!hardware.isSoftware || driversAreChosen() || process.platform !== 'linux') return hardware;
  }
  if (!allowSoftware) throw new UserError('there is no GPU that WebGPU can use', { hint: 'use --executor wasm, or webgpu for the software driver' });
  const software = await once('software', openSwiftShader);
  if (software === null) throw new UserError('SwiftShader gave no WebGPU adapter', { hint: 'use --executor wasm', exitCode: ExitCode.failure });
  return software;
}

async function openSystem(): Promise<OpenedWebGpu | null> {
  if (process.platform === 'linux') {
    if (!driversAreChosen() && !hasGpuDevice()) return null;
    // The drivers of a machine without the loader's package work with the loader that SwiftShader brings.
    if (!loadSystemVulkan() && process.arch === 'x64') loadVulkan((await unpackSwiftShader()).loader);
  }
  return firstAdapter();
}

async function openSwiftShader(): Promise<OpenedWebGpu | null> {
  const { loader, manifest } = await unpackSwiftShader();
  if (!loadSystemVulkan()) loadVulkan(loader);
  return withDriver(manifest, firstAdapter);
}

async function firstAdapter(): Promise<OpenedWebGpu | null> {
  const { create } = await import('webgpu').catch((error: unknown) => {
    throw new UserError(`Dawn cannot be loaded: ${reasonOf(error)}`, { hint: 'run npm ci on this machine, or use --executor wasm', exitCode: ExitCode.failure, cause: error });
  });
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return null;
  const { description, isSoftware } = describeAdapter(adapter);
  return { gpu, adapterDescription: description, isSoftware };
}
