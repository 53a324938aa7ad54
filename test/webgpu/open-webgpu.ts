import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import { openDevice } from '../../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import type { WebGpuExecutorOptions } from '../../deterministic-runtime/webgpu/executor.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { openWebGpu } from '../../rollup-node/webgpu/open.ts';

/** An executor on whatever WebGPU this machine has, software included. */
export async function openExecutor(options: Omit<WebGpuExecutorOptions, 'gpu'> = {}): Promise<Executor> {
  const { gpu } = await openWebGpu({ allowSoftware: true });
  return createWebGpuExecutor({ gpu, ...options });
}

/** A device, for tests that look behind the executor. */
export async function openCheckedDevice(): Promise<{ readonly gpu: GPU; readonly device: CheckedDevice }> {
  const { gpu } = await openWebGpu({ allowSoftware: true });
  return { gpu, device: await openDevice(gpu) };
}

/** The same device, and the names of what has been submitted to it. */
export async function openRecordingDevice(): Promise<{ readonly device: CheckedDevice; readonly submits: string[] }> {
  const { device } = await openCheckedDevice();
  const submits: string[] = [];
  const submit: CheckedDevice['submit'] = (what, ...rest) => {
    submits.push(what);
    return device.submit(what, ...rest);
  };
  return { device: { ...device, submit }, submits };
}
