/**
 * Runs the workloads under the WebGPU of whatever runtime executes this file, and prints their hashes as JSON. Meant for Deno, whose
 * WebGPU (wgpu, naga) shares nothing with Dawn and Tint:
 *
 *     VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.x86_64.json npx deno run -A --unstable-webgpu test/webgpu/deno-cross-check.ts
 */
import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import { landeWorkload, randomWorkloads, runHashes, SEED, smallWorkloads } from './workloads.ts';

const { gpu } = (globalThis as unknown as { readonly navigator: { readonly gpu: GPU } }).navigator;
const schedules = ['invocation', 'workgroup'] as const;
const results: Record<string, string[]> = {};
let adapter = '';
for (const schedule of schedules) {
  const executor = await createWebGpuExecutor({ gpu, schedule });
  adapter = executor.adapter;
  for (const workload of [...smallWorkloads(), ...randomWorkloads(), await landeWorkload()]) {
    const prepared = await executor.prepare(workload.model);
    results[`${workload.name}, ${schedule}`] = await runHashes(workload, (input) => prepared.run(input, { keep: 'all', seed: SEED }));
    await prepared.dispose();
  }
  await executor.dispose();
}
console.log(JSON.stringify({ adapter, results }));
