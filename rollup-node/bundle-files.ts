import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BundleError, bundleParts, readBundle } from '../deterministic-runtime/bundle/bundle.ts';
import { attachmentList } from '../deterministic-runtime/bundle/attachments.ts';
import { BUNDLE_FILES, BUNDLE_LIMITS } from '../deterministic-runtime/bundle/format.ts';
import { AdmissionError } from '../deterministic-runtime/program/admission.ts';
import type { Model, Program } from '../deterministic-runtime/program/program.ts';
import { makeDirectory } from './make-directory.ts';
import { openWeightFile } from './weight-file.ts';

/** Most bytes asked of the operating system at once: Linux reads no more than 2^31 - 4096. */
const CHUNK_BYTES = 2 ** 30;

/**
 * Reads a bundle from a directory. Its weights stay in their file, which is open as long as the model is used, and are read when they are looked at.
 * @throws BundleError or AdmissionError that says what is wrong
 */
export async function readBundleDirectory(directory: string): Promise<Model> {
  return readBundle({
    read: (name, limit) => readRegularFile(join(directory, name), limit),
    open: async (name, limit) => openWeightFile(join(directory, name), limit),
  });
}

/**
 * Writes a model as a bundle: beside the target first, and renamed when complete, so that `directory` holds a whole bundle
 * or what it held before.
 * @throws BundleError when the directory holds something other than a bundle, or cannot be written; AdmissionError
 */
export async function writeBundleDirectory(directory: string, model: Model): Promise<void> {
  const target = resolve(directory);
  const replaces = await holdsBundle(target);
  let temporary: string | undefined;
  try {
    await makeDirectory(dirname(target));
    temporary = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    const fresh = join(temporary, 'new');
    await mkdir(fresh);
    await writeParts(fresh, model);
    if (replaces) await rename(target, join(temporary, 'old'));
    await rename(fresh, target);
  } catch (error) {
    if (error instanceof BundleError || error instanceof AdmissionError) throw error;
    throw new BundleError(`cannot write the bundle ${directory}: ${(error as Error).message}`, { cause: error });
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/** Writes a bundle's files into a directory that has none of them, a part at a time. */
async function writeParts(directory: string, model: Model): Promise<void> {
  let current: { readonly name: string; readonly file: FileHandle } | undefined;
  const close = async (): Promise<void> => {
    const file = current?.file;
    current = undefined;
    try {
      await file?.sync();
    } finally {
      await file?.close();
    }
  };
  try {
    for (const { name, bytes } of bundleParts(model)) {
      if (current?.name !== name) {
        await close();
        current = { name, file: await open(join(directory, name), 'wx') };
      }
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) await current.file.writeFile(bytes.subarray(start, start + CHUNK_BYTES));
    }
  } finally {
    await close();
  }
}

/** True when the directory exists and may be replaced: it holds a bundle and nothing else. */
async function holdsBundle(directory: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new BundleError(`cannot write the bundle ${directory}: ${(error as Error).message}`, { cause: error });
  }
  const known: readonly string[] = [...Object.values(BUNDLE_FILES), ...(await attachedTo(directory))];
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new BundleError(`${directory} holds '${stranger}', which is no part of a bundle: name another directory`);
  return true;
}

/** Names of what is attached to the bundle in a directory; none where its manifest cannot be read. */
async function attachedTo(directory: string): Promise<readonly string[]> {
  try {
    const manifest = await readRegularFile(join(directory, BUNDLE_FILES.manifest), BUNDLE_LIMITS.manifest);
    return Object.keys(attachmentList(JSON.parse(new TextDecoder().decode(manifest)) as Pick<Program, 'metadata'>));
  } catch {
    return [];
  }
}

async function readRegularFile(path: string, limit: number): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Opening a pipe must not wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) throw new BundleError(`${path} is not a file`);
    if (status.size > limit) throw new BundleError(`${path} has ${status.size} bytes, more than the ${limit} that it may have`);
    const bytes = new Uint8Array(status.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, Math.min(CHUNK_BYTES, bytes.length - length));
      if (bytesRead === 0) throw new BundleError(`${path} became shorter while it was read`);
      length += bytesRead;
    }
    return bytes;
  } catch (error) {
    if (error instanceof BundleError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new BundleError(missing ? `${path} does not exist: is this the directory of a bundle?` : `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    await file?.close();
  }
}
