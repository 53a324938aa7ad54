import { mkdtemp, open, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BundleError } from '../deterministic-runtime/bundle/bundle.ts';
import { openSpoolFile } from './spool-file.ts';
import { openWeightFile } from './weight-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-weights-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('weight file', () => {
  test('behind 4 GiB', async () => {
    const path = join(folder, 'large');
    const handle = await open(path, 'w');
    await handle.truncate(2 ** 33);
    await handle.write(Uint8Array.of(1, 2, 3, 4), 0, 4, 2 ** 32 + 5);
    await handle.close();
    const file = openWeightFile(path, 2 ** 34);
    expect(file.size).toBe(2 ** 33);
    expect([...file.read(2 ** 32 + 4, 2 ** 32 + 10)]).toEqual([0, 1, 2, 3, 4, 0]);
    expect(() => file.read(2 ** 33 - 1, 2 ** 33 + 1)).toThrow(RangeError);
    expect(() => openWeightFile(path, 2 ** 33 - 1)).toThrow(`more than the ${2 ** 33 - 1}`);
  });

  test('stays readable when it is removed; a change is noticed', async () => {
    const path = join(folder, 'small');
    await writeFile(path, Uint8Array.of(1, 2, 3));
    const file = openWeightFile(path, 10);
    await rm(path);
    expect([...file.read(1, 3)]).toEqual([2, 3]);
    await writeFile(path, Uint8Array.of(1, 2, 3));
    const other = openWeightFile(path, 10);
    await writeFile(path, Uint8Array.of(9, 9, 9));
    await utimes(path, new Date(), new Date(Date.now() + 10_000));
    expect(() => other.read(0, 1)).toThrow('was changed while it was used');
    await truncate(path, 1);
    expect(() => other.read(0, 3)).toThrow(BundleError);
  });

  test('what is no file', () => {
    expect(() => openWeightFile(folder, 10)).toThrow(BundleError);
    expect(() => openWeightFile(join(folder, 'nothing'), 10)).toThrow('does not exist');
  });
});

describe('spool file', () => {
  test('gives back what was appended, and has no name', async () => {
    const target = join(folder, 'spool', 'bundle');
    const file = await openSpoolFile(target);
    expect(await readdir(join(folder, 'spool'))).toEqual([]);
    file.append(Uint8Array.of(1, 2, 3));
    file.append(Uint8Array.of(4, 5));
    expect(file.size).toBe(5);
    expect([...file.read(1, 5)]).toEqual([2, 3, 4, 5]);
    expect(() => file.read(3, 6)).toThrow(BundleError);
    file.close();
    expect(() => file.append(Uint8Array.of(1))).toThrow('cannot write a temporary file');
  });

  test('no place for one', async () => {
    await writeFile(join(folder, 'stone'), 'x');
    await expect(openSpoolFile(join(folder, 'stone', 'deep', 'bundle'))).rejects.toThrow(BundleError);
  });
});
