import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hasGpuDevice } from './vulkan.ts';

const OPEN = fileURLToPath(new URL('open.ts', import.meta.url));

/** Opens WebGPU in a fresh process, where no library is loaded yet. */
async function openElsewhere(code: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = `import { openWebGpu } from ${JSON.stringify(OPEN)};\n${code}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    env: { ...process.env, VK_DRIVER_FILES: '', VK_ICD_FILENAMES: '', ...environment },
  });
  return stdout.trim();
}

const DESCRIBE = `
const { gpu, adapterDescription, isSoftware } = await openWebGpu({ allowSoftware: true });
const device = await (await gpu.requestAdapter()).requestDevice();
console.log(JSON.stringify({ adapterDescription, isSoftware, invocations: device.limits.maxComputeInvocationsPerWorkgroup }));`;

describe.runIf(process.platform === 'linux' && process.arch === 'x64' && !hasGpuDevice())('a machine without a GPU', () => {
  test('gets SwiftShader, in the process that asks', async () => {
    expect(JSON.parse(await openElsewhere(DESCRIBE))).toEqual({ adapterDescription: expect.stringContaining('SwiftShader'), isSoftware: true, invocations: 256 });
  });

  test('gets it also where the chosen driver gives no adapter', async () => {
    expect(JSON.parse(await openElsewhere(DESCRIBE, { VK_DRIVER_FILES: '/missing.json' }))).toMatchObject({ isSoftware: true });
  });

  test('is told so when software is not wanted', async () => {
    const message = await openElsewhere(`await openWebGpu({ allowSoftware: false }).catch((error) => console.log(error.name, error.message));`);
    expect(message).toBe('UserError there is no GPU that WebGPU can use');
  });

  test('opens it once', async () => {
    const same = await openElsewhere(`
const [first, second] = await Promise.all([openWebGpu({ allowSoftware: true }), openWebGpu({ allowSoftware: true })]);
console.log(first === second);`);
    expect(same).toBe('true');
  });

  test('is told that worker threads cannot have it', async () => {
    const message = await openElsewhere(`
import { Worker } from 'node:worker_threads';
const code = \`import { register } from 'tsx/esm/api';
register();
await import(process.env.OPEN).then(({ openWebGpu }) => openWebGpu({ allowSoftware: true })).catch((error) => console.log(error.message));\`;
const worker = new Worker(code, { eval: true });
await new Promise((resolve) => worker.on('exit', resolve));`, { OPEN });
    expect(message).toContain('main thread');
  });
});
