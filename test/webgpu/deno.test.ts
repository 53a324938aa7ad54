import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { openExecutor } from './open-webgpu.ts';
import { convolutionWorkload, landeWorkload, languageWorkload, loopWorkload, matrixWorkload, randomWorkloads, runHashes, SEED, smallWorkloads, TILED_RANDOM_WORKLOADS } from './workloads.ts';

const DRIVERS = '/usr/share/vulkan/icd.d';
const HERE = dirname(fileURLToPath(import.meta.url));

/** What is not run by `invocation`, but otherwise only. */
const SCHEDULE_OF: Readonly<Record<string, string>> = { 'counting-loop': 'split', convolutions: 'block' };

/** The manifest of lavapipe, Mesa's Vulkan driver for the processor. */
function lavapipe(): string | undefined {
  try {
    const manifest = readdirSync(DRIVERS).find((name) => /^lvp_icd\..*json$/.test(name));
    return manifest === undefined ? undefined : join(DRIVERS, manifest);
  } catch {
    return undefined;
  }
}

/** The binary that npm installs on Linux x64 with glibc. */
function denoBinary(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@deno/linux-x64-glibc/package.json')), 'deno');
  } catch {
    return undefined;
  }
}

const manifest = lavapipe();
const deno = denoBinary();
if (manifest === undefined) console.warn('skipped: wgpu × lavapipe, since lavapipe is not installed (apt-get install mesa-vulkan-drivers libvulkan1)');

if (deno === undefined) console.warn('skipped: wgpu × lavapipe, since npm has no Deno for this platform');

test.skipIf(manifest === undefined || deno === undefined)('Deno (wgpu, naga) × lavapipe gives the same tensors as Dawn and the definitions', async () => {
  const { stdout } = await promisify(execFile)(deno as string, ['run', '-A', '--unstable-webgpu', '--no-lock', join(HERE, 'deno-cross-check.ts')], {
    cwd: join(HERE, '..', '..'),
    env: { ...process.env, VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest, DENO_NO_UPDATE_CHECK: '1' },
  });
  const { adapter, results } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as { adapter: string; results: Record<string, string[]> };
  expect(adapter).toMatch(/llvmpipe/);

  const executor = await openExecutor();
  expect(executor.adapter).not.toBe(adapter);
  const random = randomWorkloads();
  const small = [...smallWorkloads(), matrixWorkload(), loopWorkload(), convolutionWorkload(), ...random];
  const workloads = [...small, await landeWorkload(), await languageWorkload()];
  expect(Object.keys(results).sort()).toEqual([
    ...workloads.map(({ name }) => `${name}, ${SCHEDULE_OF[name] ?? 'invocation'}`),
    'lande, workgroup', 'language-model, workgroup',
    ...random.slice(0, TILED_RANDOM_WORKLOADS).map(({ name }) => `${name}, tile`), 'matrix-products, tile', 'language-model, tile', 'matrix-products, block',
  ].sort());
  for (const workload of workloads) {
    const prepared = await executor.prepare(workload.model);
    const expected = await runHashes(workload, (input) => prepared.run(input, { keep: 'all', seed: SEED }));
    if (small.includes(workload)) expect(expected).toEqual(await runHashes(workload, async (input) => evaluateProgram(workload.model, input, SEED)));
    for (const schedule of ['invocation', 'workgroup', 'tile', 'block', 'split']) expect(results[`${workload.name}, ${schedule}`] ?? expected).toEqual(expected);
  }
  await executor.dispose();
}, 240_000);
