import { ImportError } from '../import-error.ts';
import type { ModelFiles } from './byte-source.ts';

/** Largest JSON file that is read whole; tokenizers of 256k tokens take some 30 MB. */
const LARGEST = 2 ** 27;

/** A whole small file. @throws ImportError when it is larger than 128 MiB */
export async function readSmallFile(files: ModelFiles, name: string): Promise<Uint8Array> {
  const source = await files.open(name);
  if (source.size > LARGEST) throw new ImportError(`${name} has ${source.size} bytes, more than ${LARGEST}`);
  return source.read(0, source.size);
}

/** A JSON object of the folder. @throws ImportError when it is larger than 128 MiB or no JSON object */
export async function readJsonObject(files: ModelFiles, name: string): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readSmallFile(files, name)));
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ImportError(`${name} holds no JSON object`);
  return value as Record<string, unknown>;
}
