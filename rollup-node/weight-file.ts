import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BundleError } from '../deterministic-runtime/bundle/bundle.ts';
import type { WeightFile } from '../deterministic-runtime/bundle/constants.ts';

/** Most bytes asked of the operating system at once: Linux reads no more than 2^31 - 4096. */
const CHUNK_BYTES = 2 ** 30;

/** Closes files that nobody can read any more: models are let go of, not closed. */
const unused = new FinalizationRegistry<number>(closeSync);

/**
 * Opens a regular file to read any part of it, at once and as often as wanted. It is closed when nobody holds it any more. Removing or replacing the file does
 * no harm; changing it in place is noticed.
 * @throws BundleError when there is none, or it has more than `limit` bytes
 */
export function openWeightFile(path: string, limit: number): WeightFile {
  const descriptor = orBundleError(path, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new BundleError(`${path} is not a file`);
    if (status.size > limit) throw new BundleError(`${path} has ${status.size} bytes, more than the ${limit} that it may have`);
    const file = new OpenFile(path, descriptor, status.size, status.mtimeMs);
    unused.register(file, descriptor);
    return file;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class OpenFile implements WeightFile {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #modified: number;

  constructor(path: string, descriptor: number, size: number, modified: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.size = size;
    this.#modified = modified;
  }

  read(from: number, to: number): Uint8Array {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from || to > this.size) throw new RangeError(`${this.#path} has ${this.size} bytes: [${from}, ${to}) lies outside`);
    return orBundleError(this.#path, () => {
      const bytes = new Uint8Array(to - from);
      for (let length = 0; length < bytes.length;) {
        const count = readSync(this.#descriptor, bytes, length, Math.min(CHUNK_BYTES, bytes.length - length), from + length);
        if (count === 0) throw new BundleError(`${this.#path} became shorter while it was used`);
        length += count;
      }
      if (fstatSync(this.#descriptor).mtimeMs !== this.#modified) throw new BundleError(`${this.#path} was changed while it was used: get the bundle again, and start again`);
      return bytes;
    });
  }
}

function orBundleError<T>(path: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof BundleError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new BundleError(missing ? `${path} does not exist: is this the directory of a bundle?` : `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
