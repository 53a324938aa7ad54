import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UserError, reasonOf } from '../errors.ts';

/** Largest file that is read as an input or a model, in bytes. */
const MAXIMUM_BYTES = 2 ** 31;

/** A whole file; `-` is standard input. @throws UserError when it cannot be read, is no file, or is too large. */
export async function readInputFile(path: string): Promise<Uint8Array> {
  if (path === '-') return new Uint8Array(await buffer(process.stdin));
  try {
    const status = await stat(path);
    if (status.isDirectory()) throw new UserError(`${path} is a directory: name a file`);
    if (status.size > MAXIMUM_BYTES) throw new UserError(`${path} has ${status.size} bytes, more than the ${MAXIMUM_BYTES} that are read`);
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(missing ? `${path} does not exist` : `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
