import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDirectory } from './make-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'assay-directory-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('makes what is missing, and takes what is there', async () => {
  await makeDirectory(join(root, 'a/b/c'));
  await Promise.all([makeDirectory(join(root, 'a/b/c')), makeDirectory(join(root, 'a/x')), makeDirectory(join(root, 'a/x'))]);
  expect(statSync(join(root, 'a/b/c')).isDirectory() && statSync(join(root, 'a/x')).isDirectory()).toBe(true);
});

test('refuses to go through or over a file', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(makeDirectory(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeDirectory(join(root, 'file/below'))).rejects.toThrow(/EEXIST|ENOTDIR/);
});

test.runIf(existsSync('/proc'))('ends where there is no place for a directory', async () => {
  await expect(makeDirectory('/proc/nowhere/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
