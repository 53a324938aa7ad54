import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory, and those above it that are missing. Unlike `mkdir` with `recursive`, it ends where a file system says that an
 * existing directory has no place for a new one, as /proc does.
 * @throws the operating system's error
 */
export async function makeDirectory(path: string): Promise<void> {
  const target = resolve(path);
  if (await isDirectory(target)) return;
  const above = dirname(target);
  if (above !== target) await makeDirectory(above);
  await mkdir(target).catch(async (error: unknown) => {
    if (!(await isDirectory(target))) throw error;
  });
}

const isDirectory = (path: string): Promise<boolean> => stat(path).then((status) => status.isDirectory(), () => false);
