import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { driversAreChosen, hasGpuDevice, loadVulkan, withDriver } from './vulkan.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-vulkan-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A stand-in for /dev with these entries. */
function devices(...paths: string[]): string {
  const root = mkdtempSync(join(folder, 'dev-'));
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  return root;
}

test('device files of GPUs are recognised', () => {
  expect(hasGpuDevice(devices())).toBe(false);
  expect(hasGpuDevice(devices('null', 'tty0', 'dri/card0'))).toBe(false);
  expect(hasGpuDevice(join(folder, 'missing'))).toBe(false);
  for (const path of ['dri/renderD128', 'nvidia0', 'nvidiactl', 'dxg', 'kfd']) expect(hasGpuDevice(devices(path))).toBe(true);
});

test('drivers are chosen by either variable', () => {
  expect(driversAreChosen({})).toBe(false);
  expect(driversAreChosen({ VK_ICD_FILENAMES: '' })).toBe(false);
  expect(driversAreChosen({ VK_ICD_FILENAMES: '/x.json' })).toBe(true);
  expect(driversAreChosen({ VK_DRIVER_FILES: '/x.json' })).toBe(true);
});

test('a driver is named while work runs, and forgotten after it', async () => {
  const before = { ...process.env };
  expect(await withDriver('/driver.json', async () => [process.env['VK_DRIVER_FILES'], process.env['VK_ICD_FILENAMES']])).toEqual(['/driver.json', '/driver.json']);
  expect(process.env).toEqual(before);
  await expect(withDriver('/driver.json', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(process.env).toEqual(before);
});

test('a library that is none is refused', () => {
  const path = join(folder, 'libvulkan.so.1');
  writeFileSync(path, 'not a library');
  expect(() => loadVulkan(path)).toThrow(/cannot load/);
  expect(() => loadVulkan(join(folder, 'missing.so'))).toThrow(/cannot load/);
});
