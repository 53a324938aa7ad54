import { describeAdapter } from './adapter.ts';
import { stagingParts } from './staging.ts';
import type { BufferRange, StagingPart } from './staging.ts';

/** Buffer usages and map modes, by number: not every implementation has the global constants. */
export const BUFFER_USAGE = { mapRead: 0x1, copySource: 0x4, copyDestination: 0x8, uniform: 0x40, storage: 0x80 } as const;
const MAP_READ = 0x1;
const COMPUTE_STAGE = 0x4;
/** Storage buffers that shaders are given at most: eight operands and the output, and more where some are split. WebGPU guarantees 8, nearly all have 10. */
const STORAGE_BUFFERS = 32;

/** WebGPU reported a failure, or gave none where it did not do its work. */
export class WebGpuError extends Error {
  override readonly name = 'WebGpuError';
}

/** A device whose failures are errors: WebGPU itself reports most of them nowhere unless asked. */
export interface CheckedDevice {
  readonly device: GPUDevice;
  readonly description: string;
  readonly isSoftware: boolean;
  readonly limits: GPUSupportedLimits;
  /**
   * Runs `work`, which must be synchronous, inside error scopes.
   * @throws WebGpuError with `what` in its message, for an invalid call, exhausted memory, an internal error, or a lost device.
   */
  guarded<T>(what: string, work: () => T): Promise<T>;
  /** A zeroed buffer. @throws WebGpuError when it exceeds a limit or the memory. */
  createBuffer(what: string, size: number, usage: number): Promise<GPUBuffer>;
  /** A compute pipeline whose bindings are these. The same code is compiled once. @throws WebGpuError when it has too many or is not valid */
  createPipeline(what: string, code: string, bindings: readonly GPUBufferBindingType[]): Promise<GPUComputePipeline>;
  /**
   * Submits what `encode` writes, followed by copies of `ranges` to the host. The submit has happened when the call returns, before
   * the promise is settled: so calls that do not wait for each other keep their order. What exceeds one staging buffer is copied by submits of its own.
   */
  submit(what: string, encode: (encoder: GPUCommandEncoder) => void, ranges: readonly BufferRange[]): Promise<Uint8Array[]>;
  dispose(): void;
}

/**
 * Requests a device with the limits that programs need, asked for explicitly.
 * @throws WebGpuError when there is no adapter or it refuses.
 */
export async function openDevice(gpu: GPU): Promise<CheckedDevice> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new WebGpuError('WebGPU has no adapter here');
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const requiredLimits = {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: Math.min(maxStorageBuffersPerShaderStage, STORAGE_BUFFERS),
  };
  const device = await adapter.requestDevice({ label: 'assay', requiredLimits }).catch((error: unknown) => {
    throw new WebGpuError(`the adapter gave no device: ${error instanceof Error ? error.message : String(error)}`);
  });
  return checkDevice(device, describeAdapter(adapter));
}

/** Wraps a device that somebody else requested. */
export function checkDevice(device: GPUDevice, { description, isSoftware }: { readonly description: string; readonly isSoftware: boolean }): CheckedDevice {
  let failure: WebGpuError | undefined;
  const lost = device.lost.then(({ reason, message }): never => {
    failure = new WebGpuError(`the WebGPU device is lost (${reason ?? 'unknown'}${message === '' ? '' : `: ${firstLine(message)}`})`);
    throw failure;
  });
  lost.catch(() => {});
  // Errors outside every scope: none are expected, so the next call reports them.
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    failure ??= new WebGpuError(`WebGPU: ${firstLine(event.error.message)}`);
  });
  const throwIfFailed = (): void => {
    if (failure !== undefined) throw failure;
  };
  const orLost = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise, lost]);

  const guarded = async <T>(what: string, work: () => T): Promise<T> => {
    throwIfFailed();
    const filters = ['validation', 'out-of-memory', 'internal'] as const;
    for (const filter of filters) device.pushErrorScope(filter);
    let scopes: Promise<(GPUError | null)[]>;
    let value: T;
    try {
      value = work();
    } finally {
      scopes = Promise.all(filters.map(() => device.popErrorScope()));
      scopes.catch(() => {});
    }
    const error = (await orLost(scopes)).find((found) => found !== null);
    if (error) throw new WebGpuError(`${what}: ${firstLine(error.message)}`);
    throwIfFailed();
    return value;
  };

  const createBuffer = (what: string, size: number, usage: number): Promise<GPUBuffer> => {
    const limit = usage & BUFFER_USAGE.storage ? Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize) : device.limits.maxBufferSize;
    if (size > limit) return Promise.reject(new WebGpuError(`${what} needs a buffer of ${size} bytes; ${description} allows ${limit}: use the wasm executor`));
    return guarded(`allocating ${what}`, () => device.createBuffer({ label: what, size, usage }));
  };

  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const createPipeline = (what: string, code: string, bindings: readonly GPUBufferBindingType[]): Promise<GPUComputePipeline> => {
    const known = pipelines.get(code);
    if (known !== undefined) return known;
    const pipeline = compile(what, code, bindings);
    pipelines.set(code, pipeline);
    pipeline.catch(() => pipelines.delete(code));
    return pipeline;
  };

  const compile = async (what: string, code: string, bindings: readonly GPUBufferBindingType[]): Promise<GPUComputePipeline> => {
    const storageBuffers = bindings.filter((type) => type !== 'uniform').length;
    if (storageBuffers > device.limits.maxStorageBuffersPerShaderStage) {
      throw new WebGpuError(`${what} needs ${storageBuffers} buffers; ${description} allows ${device.limits.maxStorageBuffersPerShaderStage}: use the wasm executor`);
    }
    const parts = await guarded(`compiling ${what}`, () => {
      const module = device.createShaderModule({ label: what, code });
      // Written out: a layout made from the shader leaves out what the shader does not use.
      const layout = device.createBindGroupLayout({
        entries: bindings.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
      });
      return { module, layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
    });
    try {
      return await orLost(device.createComputePipelineAsync({ label: what, layout: parts.layout, compute: { module: parts.module, entryPoint: 'main' } }));
    } catch (error) {
      if (error instanceof WebGpuError) throw error;
      throw new WebGpuError(`compiling ${what}: ${firstLine(error instanceof Error ? error.message : String(error))}`);
    }
  };

  /** Submits what `encode` writes, and behind it the copies of a part into a new staging buffer. */
  const submitPart = async (what: string, encode: (encoder: GPUCommandEncoder) => void, part: StagingPart | undefined): Promise<GPUBuffer | undefined> => {
    let staging: GPUBuffer | undefined;
    try {
      await guarded(what, () => {
        if (part !== undefined) staging = device.createBuffer({ label: 'reading back', size: part.size, usage: BUFFER_USAGE.mapRead | BUFFER_USAGE.copyDestination });
        const encoder = device.createCommandEncoder();
        encode(encoder);
        for (const { source, from, staged, size } of part?.pieces ?? []) encoder.copyBufferToBuffer(source.buffer, source.offset + from, staging as GPUBuffer, staged, size);
        device.queue.submit([encoder.finish()]);
      });
      return staging;
    } catch (error) {
      staging?.destroy();
      throw error;
    }
  };

  const submit = async (what: string, encode: (encoder: GPUCommandEncoder) => void, ranges: readonly BufferRange[]): Promise<Uint8Array[]> => {
    const [first, ...others] = stagingParts(ranges);
    let staging = await submitPart(what, encode, first);
    const bytes = ranges.map(({ size }) => new Uint8Array(size));
    for (let part = first; part !== undefined && staging !== undefined; part = others.shift(), staging = part && await submitPart(what, () => {}, part)) {
      try {
        await orLost(staging.mapAsync(MAP_READ)).catch((error: unknown) => {
          throw failure ?? new WebGpuError(`${what}: reading back failed: ${firstLine(String(error))}`);
        });
        const mapped = new Uint8Array(staging.getMappedRange());
        for (const piece of part.pieces) bytes[piece.range]?.set(mapped.subarray(piece.staged, piece.staged + piece.size), piece.from);
        staging.unmap();
      } finally {
        staging.destroy();
      }
    }
    throwIfFailed();
    return bytes;
  };

  return { device, description, isSoftware, limits: device.limits, guarded, createBuffer, createPipeline, submit, dispose: () => device.destroy() };
}

const firstLine = (message: string): string => message.trim().split('\n')[0] ?? '';
