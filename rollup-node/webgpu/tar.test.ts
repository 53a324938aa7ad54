import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTar } from './tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-tar-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An archive that the system's tar makes. */
function archive(): Uint8Array {
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, 'block'), Buffer.alloc(512, 7));
  writeFileSync(join(folder, 'text'), 'hello');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  rmSync(join(folder, 'link'), { force: true });
  symlinkSync('text', join(folder, 'link'));
  execFileSync('tar', ['--format=ustar', '-cf', 'archive.tar', 'empty', 'block', 'text', 'sub', 'link'], { cwd: folder });
  return readFileSync(join(folder, 'archive.tar'));
}

test('reads the regular files of an archive', () => {
  const files = readTar(archive());
  expect([...files.keys()]).toEqual(['empty', 'block', 'text']);
  expect(files.get('empty')?.length).toBe(0);
  expect(Buffer.from(files.get('block') ?? [])).toEqual(Buffer.alloc(512, 7));
  expect(Buffer.from(files.get('text') ?? []).toString()).toBe('hello');
});

test('refuses an archive that ends within a file', () => {
  expect(() => readTar(archive().subarray(0, 512 + 512 + 100))).toThrow(/ends within block/);
});
