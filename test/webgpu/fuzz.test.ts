import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import type { SpecializedKernel } from '../../deterministic-runtime/language/specialized.ts';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { checkDevice } from '../../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { knownAnswerShader } from '../../deterministic-runtime/webgpu/known-answers.ts';
import { planProgram } from '../../deterministic-runtime/webgpu/plan.ts';
import { compareRandomModel, SHADER_VARIANTS } from './fuzz-webgpu.ts';
import { openCheckedDevice } from './open-webgpu.ts';
import { convolutionWorkload, matrixWorkload } from './workloads.ts';

const VARIANTS = SHADER_VARIANTS.map((options, index) => ({ name: ['an invocation a unit', 'without packed dot products', 'shared reductions', 'tiles', 'split buffers', 'shared reductions of split buffers'][index] as string, options, index }));

describe('random models against their definitions', () => {
  let device: CheckedDevice;
  beforeAll(async () => {
    ({ device } = await openCheckedDevice());
  });
  afterAll(() => device.dispose());

  test.each(VARIANTS)('$name', async ({ options, index }) => {
    const differences: string[] = [];
    // The software driver takes seconds to compile some of what is meant for GPUs.
    for (let number = 0; number < (options.schedule({} as SpecializedKernel) === 'invocation' ? 10 : 3); number += 1) {
      const difference = await compareRandomModel(device, 1000 * index + number, 1 + ((7 * number) % 30), options);
      if (difference !== null) differences.push(difference);
    }
    expect(differences).toEqual([]);
  });
});

describe('WGSL is valid', () => {
  // The null backend validates and executes nothing. What `create` returns must outlive the device.
  const gpu = create(['backend=null']);
  let device: CheckedDevice;
  beforeAll(async () => {
    const adapter = (await gpu.requestAdapter()) as GPUAdapter;
    device = checkDevice(await adapter.requestDevice(), { description: 'null', isSoftware: true });
  });
  const validate = (code: string): Promise<GPUShaderModule> => device.guarded('validating', () => device.device.createShaderModule({ code }));

  test('and what is not is found', async () => {
    await expect(validate('@compute @workgroup_size(1) fn main() { let x = 1i / 0i; }')).rejects.toThrow(/zero/);
  });

  test('for the known-answer test', async () => {
    for (const packedDot of [true, false]) await validate(knownAnswerShader(packedDot));
  });

  test('for blocks of matrix products', async () => {
    for (const { model: { program } } of [matrixWorkload(), convolutionWorkload()]) {
      for (const { shader } of planProgram(program, { schedule: () => 'block', packedDot: true }).operators.prologue) {
        expect(shader.schedule).toBe('block');
        await validate(shader.code);
      }
    }
  });

  test.each(VARIANTS)('for random models, $name', async ({ options }) => {
    let shaders = 0;
    let shared = 0;
    for (let number = 0; number < 40; number += 1) {
      const { program, made } = generateCase(50_000 + number, 1 + (number % 40));
      const { prologue, body, epilogue } = planProgram(program, { ...options, ...(options.shardBytes === undefined ? {} : { shardBytes: 1024 }), maxBindings: 1024 }).operators;
      for (const { shader } of [...prologue, ...body, ...epilogue]) {
        await validate(shader.code).catch((error: Error) => {
          throw new Error(`${made}: ${error.message}\n${shader.code}`);
        });
        shaders += 1;
        if (shader.schedule === 'workgroup') shared += 1;
      }
    }
    expect(shaders).toBeGreaterThan(80);
    expect(shared > 10).toBe(options.shareFrom !== undefined);
  });
});
