/**
 * Runs the workloads under the WebGPU of whatever runtime executes this file, and prints their hashes as JSON. Meant for Deno, whose
 * WebGPU (wgpu, naga) shares nothing with Dawn and Tint:
 *
 *     VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.x86_64.json npx deno run -A --unstable-webgpu test/webgpu/deno-cross-check.ts
 */
import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import { openDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { prepareModel } from '../../deterministic-runtime/webgpu/prepared-model.ts';
import { convolutionWorkload, landeWorkload, languageWorkload, loopWorkload, matrixWorkload, randomWorkloads, runHashes, SEED, smallWorkloads, TILED_RANDOM_WORKLOADS } from './workloads.ts';

const { gpu } = (globalThis as unknown as { readonly navigator: { readonly gpu: GPU } }).navigator;
const lande = await landeWorkload();
const matrix = matrixWorkload();
const language = await languageWorkload();
const random = randomWorkloads();
/** The schedules for real GPUs, where a model has what they are for: long reductions, and matrix products. */
const runs = [
  { schedule: 'invocation', workloads: [...smallWorkloads(), matrix, ...random, lande, language] },
  { schedule: 'workgroup', workloads: [lande, language] },
  { schedule: 'block', workloads: [matrix, convolutionWorkload()] },
  { schedule: 'tile', workloads: [matrix, ...random.slice(0, TILED_RANDOM_WORKLOADS), language] },
] as const;
const results: Record<string, string[]> = {};
let adapter = '';
for (const { schedule, workloads } of runs) {
  const executor = await createWebGpuExecutor({ gpu, schedule });
  adapter = executor.adapter;
  for (const workload of workloads) {
    const prepared = await executor.prepare(workload.model);
    results[`${workload.name}, ${schedule}`] = await runHashes(workload, (input) => prepared.run(input, { keep: 'all', seed: SEED }));
    await prepared.dispose();
  }
  await executor.dispose();
}
// A history in several bindings.
const device = await openDevice(gpu);
const loop = loopWorkload();
const prepared = await prepareModel(device, loop.model, { schedule: () => 'invocation', packedDot: true, shardBytes: 512 });
results[`${loop.name}, split`] = await runHashes(loop, (input) => prepared.run(input, { keep: 'all', seed: SEED }));
device.dispose();
console.log(JSON.stringify({ adapter, results }));
