import { existsSync } from 'node:fs';
import { access, constants, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ExitCode, UserError, reasonOf } from '../errors.ts';

/** Largest file that is read as an input or a model, in bytes. */
const MAXIMUM_BYTES = 2 ** 31;

/** What keeps a file from being written, by the operating system's code. */
const STORAGE_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space',
  EFBIG: 'a file may not become that large here: see ulimit -f',
  EROFS: 'the file system is read-only: name another place',
  EACCES: 'check its permissions, or name another place',
  EPERM: 'check its permissions, or name another place',
  EIO: 'the disk reports an error',
};

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
    throw new UserError(codeOf(error) === 'ENOENT' ? `${path} does not exist` : `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** How `--input` and `--prompt` name an input: a file, standard input, or the text itself. Gives a function that reads it. @throws UserError when neither is there */
export function inputOf({ input, prompt }: { readonly input?: string; readonly prompt?: string }): () => Promise<Uint8Array> {
  if (prompt !== undefined) return async () => new TextEncoder().encode(prompt);
  if (input === undefined) throw new UserError('there is no input', { hint: 'name a file with --input, - for standard input, or give a text with --prompt' });
  return () => readInputFile(input);
}

/** A file of little-endian float32 numbers. @throws UserError when it is empty or no whole number of them */
export async function readFloats(path: string): Promise<Float32Array> {
  const bytes = await readInputFile(path);
  if (bytes.length === 0) throw new UserError(`${path} is empty`);
  if (bytes.length % 4 !== 0) throw new UserError(`${path} has ${bytes.length} bytes, which is no whole number of float32 values`);
  return new Float32Array(bytes.slice().buffer);
}

/**
 * Writes a file as a whole: beside its name first, and renamed when it is on the disk. Devices and pipes are written to as they are.
 * @throws UserError that says what stands in the way
 */
export async function writeOutputFile(path: string, bytes: Uint8Array): Promise<void> {
  const target = resolve(path);
  let temporary: string | undefined;
  try {
    if (await isSpecial(target)) return await writeFile(target, bytes);
    temporary = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    const fresh = join(temporary, 'new');
    await writeFile(fresh, bytes, { flush: true });
    await rename(fresh, target);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/** Looks whether a file can be written, before work is put into what goes there. @throws UserError */
export async function checkWritable(path: string): Promise<void> {
  const target = resolve(path);
  try {
    const status = await stat(target).catch(() => null);
    if (status?.isDirectory() === true) throw new UserError(`${path} is a directory: name a file`);
    await access(status === null || status.isFile() ? dirname(target) : target, constants.W_OK);
  } catch (error) {
    throw error instanceof UserError ? error : writeError(path, error);
  }
}

/** Why something could not be written, for people. */
export function writeError(path: string, error: unknown): UserError {
  const code = codeOf(error);
  const folder = dirname(resolve(path));
  if (code === 'ENOENT' && !existsSync(folder)) return new UserError(`cannot write ${path}: the folder ${folder} does not exist`, { cause: error });
  if (code === 'ENOTDIR' || code === 'EEXIST') return new UserError(`cannot write ${path}: a file stands where a folder is needed`, { cause: error });
  const hint = STORAGE_HINTS[code];
  const exitCode = hint === undefined ? ExitCode.usage : ExitCode.storage;
  return new UserError(`cannot write ${path}: ${reasonOf(error)}`, { exitCode, cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** The operating system's code of an error or of its cause, such as ENOENT; empty when it has none. */
export function codeOf(error: unknown): string {
  for (let link = error; link instanceof Error; link = link.cause) {
    const { code } = link as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  }
  return '';
}

/** True for what exists and is no regular file: a device, a pipe. */
async function isSpecial(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => null);
  return status !== null && !status.isFile() && !status.isDirectory();
}
