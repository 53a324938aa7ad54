/**
 * The same output roots from two WebGPU implementations that share nothing: Dawn (Tint) here, wgpu (naga) on lavapipe under Deno; of lande on paragraphs
 * in turn from all its languages, and of the MNIST CNN on test digits: `npm run evidence:drivers [-- --lande n] [--mnist n] [--json]`.
 * Needs `apt-get install mesa-vulkan-drivers libvulkan1`. Exit code 1 when a root differs, 2 when lavapipe is missing.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { conclude, conditions } from '../../bench/measurement.ts';
import { executorByName } from '../../rollup-node/executors.ts';
import { outputRoots } from './output-roots.ts';
import type { InputCounts, OutputRoots } from './output-roots.ts';

const DRIVERS = '/usr/share/vulkan/icd.d';
const OUTPUT_BYTES = 64 * 2 ** 20;

const { values } = parseArgs({ options: { lande: { type: 'string', default: '500' }, mnist: { type: 'string', default: '1000' }, json: { type: 'boolean', default: false } } });
const counts: InputCounts = { lande: Number(values.lande), mnist: Number(values.mnist) };

/** The manifest of lavapipe, Mesa's Vulkan driver for the processor. */
function lavapipe(): string {
  try {
    const manifest = readdirSync(DRIVERS).find((name) => /^lvp_icd\..*json$/.test(name));
    if (manifest !== undefined) return join(DRIVERS, manifest);
  } catch {
    // The folder is missing as well.
  }
  console.error('lavapipe is not installed: apt-get install mesa-vulkan-drivers libvulkan1');
  process.exit(2);
}

async function underDeno(): Promise<{ readonly adapter: string; readonly roots: OutputRoots }> {
  const manifest = lavapipe();
  const deno = join(dirname(createRequire(import.meta.url).resolve('@deno/linux-x64-glibc/package.json')), 'deno');
  const script = join(import.meta.dirname, 'drivers-deno.ts');
  const { stdout } = await promisify(execFile)(deno, ['run', '-A', '--unstable-webgpu', '--no-lock', script, String(counts.lande), String(counts.mnist)], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest, DENO_NO_UPDATE_CHECK: '1' },
    maxBuffer: OUTPUT_BYTES,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as { adapter: string; roots: OutputRoots };
}

const started = conditions();
const executor = await executorByName('webgpu');
console.error(`${counts.lande} paragraphs and ${counts.mnist} digits on ${executor.adapter}`);
const own = await outputRoots(executor, counts);
console.error('the same under Deno');
const other = await underDeno();
const different = (model: keyof InputCounts): number => own[model].filter((root, index) => root !== other.roots[model][index]).length;
conclude(
  {
    ...started,
    adapters: [executor.adapter, other.adapter],
    lande: { inputs: own.lande.length, roots: new Set(own.lande).size, different: different('lande') },
    mnist: { inputs: own.mnist.length, roots: new Set(own.mnist).size, different: different('mnist') },
  },
  {
    'both give the same roots': different('lande') + different('mnist') === 0 && other.roots.lande.length === counts.lande && other.roots.mnist.length === counts.mnist,
    'the two are not the same driver': executor.adapter !== other.adapter,
  },
  values.json,
);
await executor.dispose();
