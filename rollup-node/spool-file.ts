import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BundleError } from '../deterministic-runtime/bundle/bundle.ts';
import type { GrowingFile } from '../deterministic-runtime/bundle/constant-store.ts';
import { makeDirectory } from './make-directory.ts';

/** Most bytes handed to the operating system at once: Linux takes no more than 2^31 - 4096. */
const CHUNK_BYTES = 2 ** 30;

/** A file without a name, which is gone when closed, or when the process ends. */
export interface SpoolFile extends GrowingFile { close(): void }

/**
 * Makes a file in the directory that holds `target`, for what is to be written there later.
 * @throws BundleError, here and from `append`, when there is no place for it
 */
export async function openSpoolFile(target: string): Promise<SpoolFile> {
  const directory = dirname(resolve(target));
  const path = join(directory, `.${basename(resolve(target))}-${randomUUID()}`);
  const orBundleError = <T>(attempt: () => T): T => {
    try {
      return attempt();
    } catch (error) {
      throw new BundleError(`cannot write a temporary file in ${directory}: ${(error as Error).message}`, { cause: error });
    }
  };
  await makeDirectory(directory).catch((error: unknown) => orBundleError(() => { throw error; }));
  const descriptor = orBundleError(() => openSync(path, 'wx+', 0o600));
  // What is open stays readable without a name, and nothing is left behind by a process that is killed.
  rmSync(path, { force: true });
  let size = 0;
  return {
    get size() {
      return size;
    },
    append: (bytes) => orBundleError(() => {
      for (let length = 0; length < bytes.length;) length += writeSync(descriptor, bytes, length, Math.min(CHUNK_BYTES, bytes.length - length), size + length);
      size += bytes.length;
    }),
    read: (from, to) => orBundleError(() => {
      const bytes = new Uint8Array(to - from);
      for (let length = 0; length < bytes.length;) {
        const count = readSync(descriptor, bytes, length, Math.min(CHUNK_BYTES, bytes.length - length), from + length);
        if (count === 0) throw new RangeError(`it has ${size} bytes: [${from}, ${to}) lies outside`);
        length += count;
      }
      return bytes;
    }),
    close: () => closeSync(descriptor),
  };
}
