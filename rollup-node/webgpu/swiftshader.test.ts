import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cacheFolder, unpackSwiftShader } from './swiftshader.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-swiftshader-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('unpackSwiftShader', () => {
  test('unpacks once, also when two ask at the same time', async () => {
    const cache = join(folder, 'cache');
    const [first, second] = await Promise.all([unpackSwiftShader(cache), unpackSwiftShader(cache)]);
    expect(second).toEqual(first);
    expect(readdirSync(cache)).toEqual([expect.stringMatching(/^swiftshader-\d+\.\d+\.\d+$/)]);
    const { ICD } = JSON.parse(readFileSync(first.manifest, 'utf8')) as { ICD: { library_path: string } };
    // Both are ELF libraries.
    for (const library of [first.loader, join(dirname(first.manifest), ICD.library_path)]) {
      expect(readFileSync(library).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    }
    writeFileSync(first.loader, 'kept');
    await unpackSwiftShader(cache);
    expect(readFileSync(first.loader, 'utf8')).toBe('kept');
  });

  test('says what to do when the cache cannot be written, and leaves nothing behind', async () => {
    const blocked = join(folder, 'blocked');
    writeFileSync(blocked, '');
    await expect(unpackSwiftShader(blocked)).rejects.toMatchObject({ message: expect.stringContaining(`cannot unpack SwiftShader into ${blocked}`), hint: expect.stringContaining('XDG_CACHE_HOME') });

    // A folder of the final name that is not complete cannot be replaced.
    const cache = join(folder, 'occupied');
    const [name] = readdirSync(join(folder, 'cache'));
    mkdirSync(join(cache, name as string), { recursive: true });
    writeFileSync(join(cache, name as string, 'other'), '');
    await expect(unpackSwiftShader(cache)).rejects.toThrow(/cannot unpack/);
    expect(readdirSync(cache)).toEqual([name]);
  });
});

test('the cache is where the platform keeps caches', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/somewhere' })).toBe('/somewhere/assay');
  expect(cacheFolder({})).toMatch(/\.cache\/assay$/);
});
