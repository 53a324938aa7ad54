/**
 * Runs the workloads under the WebGPU of whatever runtime executes this file, and prints their hashes as JSON. Meant for Deno, whose
 * WebGPU (wgpu, naga) shares nothing with Dawn and Tint:
 *
 *     VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.x86_64.json npx deno run -A --unstable-webgpu test/webgpu/deno-cross-check.ts
 */
import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import { landeWorkload, matrixWorkload, randomWorkloads, runHashes, SEED, smallWorkloads } from './workloads.ts';

const { gpu } = (globalThis as unknown as { readonly navigator: { readonly gpu: GPU } }).navigator;
const lande = await landeWorkload();
const matrix = matrixWorkload();
/** The schedules for real GPUs, where a model has what they are for: long reductions, and matrix products. */
const runs = [
  { schedule: 'invocation', workloads: [...smallWorkloads(), matrix, ...randomWorkloads(), lande] },
  { schedule: 'workgroup', workloads: [lande] },
  { schedule: 'tile', workloads: [matrix] },
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
console.log(JSON.stringify({ adapter, results }));
