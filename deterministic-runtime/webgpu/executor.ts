import type { Executor, PreparedModel } from '../executors/executor.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import type { Model } from '../program/program.ts';
import { openDevice } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { checkKnownAnswers } from './known-answers.ts';
import { prepareModel } from './prepared-model.ts';
import { chooseSchedule } from './schedule.ts';
import type { Schedule } from './schedule.ts';

export interface WebGpuExecutorOptions {
  /** `navigator.gpu`, or what Dawn's `create` gives; the executor keeps it alive. */
  readonly gpu: GPU;
  /** For all kernels; by default chosen for the adapter and each kernel's size. */
  readonly schedule?: Schedule;
  /** False keeps `dot4I8Packed` out of the shaders; by default it is used where it passes the known-answer test. */
  readonly packedDot?: boolean;
}

/**
 * An executor on a WebGPU device of its own. Before it is handed out, the adapter passes a known-answer test of every
 * operation that shaders use.
 * @throws WebGpuError when there is no adapter, or it computes wrongly.
 */
export async function createWebGpuExecutor(options: WebGpuExecutorOptions): Promise<Executor> {
  const device = await openDevice(options.gpu);
  try {
    return await executorOn(device, options);
  } catch (error) {
    device.dispose();
    throw error;
  }
}

/** The executor over a device that is already open; disposing of it closes the device. @throws WebGpuError when the device computes wrongly. */
export async function executorOn(device: CheckedDevice, { gpu, schedule, packedDot = true }: WebGpuExecutorOptions): Promise<Executor> {
  const packed = packedDot && gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product') && (await passes(device, true));
  if (!packed) await checkKnownAnswers(device, false);
  const scheduleFor = (kernel: SpecializedKernel): Schedule => schedule ?? chooseSchedule(kernel, device);
  return {
    name: 'webgpu',
    adapter: device.description,
    prepare: (model: Model): Promise<PreparedModel> => prepareModel(device, model, { schedule: scheduleFor, packedDot: packed }),
    async dispose() {
      device.dispose();
    },
  };
}

async function passes(device: CheckedDevice, packedDot: boolean): Promise<boolean> {
  return checkKnownAnswers(device, packedDot).then(() => true, () => false);
}
