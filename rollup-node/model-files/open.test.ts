import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImportError } from '../../kernels/import/import-error.ts';
import { openModelFiles } from './open.ts';
import type { LocalModelFiles } from './open.ts';

describe('local model files', () => {
  let folder: string;
  const opened: LocalModelFiles[] = [];
  const open = async (path: string): Promise<LocalModelFiles> => {
    const files = await openModelFiles(path);
    opened.push(files);
    return files;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-model-files-'));
    await mkdir(join(folder, 'model'));
    await writeFile(join(folder, 'secret'), 'secret');
    await writeFile(join(folder, 'model', 'a.gguf'), Uint8Array.from({ length: 100 }, (_, index) => index));
    await writeFile(join(folder, 'model', 'config.json'), '{}');
    await mkdir(join(folder, 'model', 'below'));
  });
  afterEach(async () => {
    for (const files of opened.splice(0)) await files.close();
    await rm(folder, { recursive: true });
  });

  test('a folder, and a file with its neighbours', async () => {
    const files = await open(join(folder, 'model'));
    expect(files.names).toEqual(['a.gguf', 'config.json']);
    expect(files.main).toBeUndefined();
    const file = await open(join(folder, 'model', 'a.gguf'));
    expect(file.main).toBe('a.gguf');
    expect((await file.open('config.json')).size).toBe(2);
  });

  test('reads pieces, and nothing outside of the file', async () => {
    const source = await (await open(join(folder, 'model'))).open('a.gguf');
    expect(source.size).toBe(100);
    expect([...(await source.read(97, 100))]).toEqual([97, 98, 99]);
    expect(await source.read(5, 5)).toHaveLength(0);
    for (const [from, to] of [[-1, 2], [99, 101], [3, 2], [0.5, 1], [0, 2 ** 60]] as const) await expect(source.read(from, to)).rejects.toThrow(RangeError);
  });

  test('a file of more than 4 GiB is read at any place', async () => {
    const path = join(folder, 'model', 'large.bin');
    await truncate(path, 0).catch(() => writeFile(path, ''));
    await truncate(path, 2 ** 32 + 10);
    const source = await (await open(path)).open('large.bin');
    expect(source.size).toBe(2 ** 32 + 10);
    expect([...(await source.read(2 ** 32, 2 ** 32 + 10))]).toEqual(new Array(10).fill(0));
  });

  test('a file that became shorter', async () => {
    const source = await (await open(join(folder, 'model'))).open('a.gguf');
    await truncate(join(folder, 'model', 'a.gguf'), 50);
    await expect(source.read(40, 60)).rejects.toThrow(/became shorter/);
  });

  test('names lead to no other folder; links of the folder\'s own are followed', async () => {
    await symlink(join(folder, 'secret'), join(folder, 'model', 'link.bin'));
    await symlink(join(folder, 'nothing'), join(folder, 'model', 'broken.bin'));
    const files = await open(join(folder, 'model'));
    expect(files.names).toEqual(['a.gguf', 'config.json', 'link.bin']);
    for (const name of ['../secret', 'below', 'broken.bin', '/etc/passwd', '', '.']) await expect(files.open(name)).rejects.toThrow(ImportError);
  });

  test('paths that do not exist', async () => {
    await expect(openModelFiles(join(folder, 'nothing'))).rejects.toThrow(/nothing does not exist/);
    await expect(openModelFiles('/dev/null')).rejects.toThrow(/neither a file nor a folder/);
  });
});
