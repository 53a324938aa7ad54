import type { CheckedDevice } from './device.ts';

/** What a dispatch is set up with. */
export interface Pass {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
}

/** Compiles a shader, and binds these buffers from binding 0 on. @throws WebGpuError when the device refuses */
export async function createPass(device: CheckedDevice, what: string, code: string, types: readonly GPUBufferBindingType[], buffers: readonly GPUBuffer[]): Promise<Pass> {
  const pipeline = await device.createPipeline(what, code, types);
  const bindGroup = await device.guarded(`binding the buffers of ${what}`, () => device.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  }));
  return { pipeline, bindGroup };
}
