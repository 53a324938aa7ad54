import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { WebGpuError } from '../../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import type { PlanOptions } from '../../deterministic-runtime/webgpu/plan.ts';
import { prepareModel } from '../../deterministic-runtime/webgpu/prepared-model.ts';

/** Every way in which a kernel becomes a shader. A workgroup shares all reductions, else random kernels would have none. */
export const SHADER_VARIANTS: readonly PlanOptions[] = [
  { schedule: () => 'invocation', packedDot: true },
  { schedule: () => 'invocation', packedDot: false },
  { schedule: () => 'workgroup', packedDot: true, shareFrom: 2 },
  { schedule: () => 'tile', packedDot: true },
  // Histories, constants, inputs and outputs in parts of two words.
  { schedule: () => 'invocation', packedDot: true, shardBytes: 64 },
  { schedule: () => 'workgroup', packedDot: true, shareFrom: 2, shardBytes: 128 },
];

/** The model in parts as small as asked for, or else as small as a shader can bind. */
async function prepareSplit(device: CheckedDevice, model: Model, options: PlanOptions): Promise<PreparedModel> {
  try {
    return await prepareModel(device, model, options);
  } catch (error) {
    if (options.shardBytes === undefined || !(error instanceof WebGpuError)) throw error;
    return prepareSplit(device, model, { ...options, shardBytes: 2 * options.shardBytes });
  }
}

/**
 * Runs a random model twice on the same buffers, and compares every tensor with the definition's.
 * @returns what differs, in words; null when nothing does.
 */
export async function compareRandomModel(device: CheckedDevice, seed: number, size: number, options: PlanOptions): Promise<string | null> {
  const { model, input, otherInput, seed: requestSeed, made } = generateCase(seed, size);
  const prepared = await prepareSplit(device, model, options);
  try {
    for (const [run, words] of [input, otherInput, input].entries()) {
      const expected = evaluateProgram(model, words, requestSeed);
      const actual = await prepared.run(words, { seed: requestSeed, keep: 'all' });
      if (actual.iterations !== expected.iterations) return `${made}, run ${run}: ${actual.iterations} iterations, expected ${expected.iterations}`;
      for (let slot = 0; slot < slotCount(model.program); slot += 1) {
        const [got, want] = [actual.tensor(slot), expected.tensor(slot)].map((tensor) => tensor?.join());
        if (got !== want) return `${made}, run ${run}: slot ${slot} is ${got}, expected ${want}`;
      }
    }
    return null;
  } finally {
    await prepared.dispose();
  }
}
