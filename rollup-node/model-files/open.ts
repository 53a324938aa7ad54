import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkRange } from '../../kernels/import/language-model/byte-source.ts';
import type { ByteSource, ModelFiles } from '../../kernels/import/language-model/byte-source.ts';
import { ImportError } from '../../kernels/import/import-error.ts';

/** Most bytes asked of the operating system at once: Linux reads no more than 2^31 - 4096. */
const CHUNK_BYTES = 2 ** 30;
/** Most files that a folder may have. */
const LARGEST_FOLDER = 2 ** 14;

/** A folder's files, open until closed. */
export interface LocalModelFiles extends ModelFiles {
  close(): Promise<void>;
}

/**
 * Opens a model file, or a folder of them; a file's neighbours can be opened too (parts of a split model, its tokenizer). Files are read piece by
 * piece, so they may be larger than memory. Links are followed, as the cache of Hugging Face needs, but no name leads to another folder.
 * @throws ImportError when the path does not exist, or is neither file nor folder
 */
export async function openModelFiles(path: string): Promise<LocalModelFiles> {
  const status = await orImportError(stat(path), path);
  if (!status.isFile() && !status.isDirectory()) throw new ImportError(`${path} is neither a file nor a folder`);
  const folder = status.isFile() ? dirname(path) : path;
  const names = await regularFiles(folder);
  const opened = new Map<string, { readonly source: ByteSource; readonly handle: FileHandle }>();
  return {
    names,
    main: status.isFile() ? basename(path) : undefined,
    open: async (name) => {
      if (!names.includes(name)) throw new ImportError(`${folder} has no file ${JSON.stringify(name)}`);
      const known = opened.get(name);
      if (known !== undefined) return known.source;
      const file = join(folder, name);
      // Should the file have become a pipe, opening it must not wait for a writer.
      const handle = await orImportError(open(file, constants.O_RDONLY | constants.O_NONBLOCK), file);
      const { size } = await handle.stat();
      const source = fileSource(handle, size, file);
      opened.set(name, { source, handle });
      return source;
    },
    close: async () => {
      const handles = [...opened.values()];
      opened.clear();
      for (const { handle } of handles) await handle.close();
    },
  };
}

async function regularFiles(folder: string): Promise<string[]> {
  const entries = await orImportError(readdir(folder, { withFileTypes: true }), folder);
  if (entries.length > LARGEST_FOLDER) throw new ImportError(`${folder} has ${entries.length} entries, more than ${LARGEST_FOLDER}: put the model into a folder of its own`);
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.isFile()) names.push(entry.name);
    else if (entry.isSymbolicLink() && (await stat(join(folder, entry.name)).catch(() => undefined))?.isFile() === true) names.push(entry.name);
  }
  return names.sort();
}

function fileSource(handle: FileHandle, size: number, path: string): ByteSource {
  return {
    size,
    read: async (from, to) => {
      checkRange(from, to, size, path);
      const bytes = new Uint8Array(to - from);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await orImportError(handle.read(bytes, length, Math.min(CHUNK_BYTES, bytes.length - length), from + length), path);
        if (bytesRead === 0) throw new ImportError(`${path} became shorter while it was read`);
        length += bytesRead;
      }
      return bytes;
    },
  };
}

async function orImportError<T>(promise: Promise<T>, path: string): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ImportError(missing ? `${path} does not exist` : `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
