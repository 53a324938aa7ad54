import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LandeSources } from '../kernels/models/lande/network.ts';

/**
 * Reads the data files of the installed npm package `lande`. Its exports map names the detector only, so the files are found beside it.
 *
 * @throws Error when the package is not installed or has no such files.
 */
export async function loadLandePackage(): Promise<LandeSources> {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('lande'));
    const read = async (file: string): Promise<unknown> => {
      const module = (await import(pathToFileURL(join(folder, file)).href)) as { default: unknown };
      return module.default;
    };
    const [langs, ngrams, options] = await Promise.all(['t50-langs.js', 't50-ngrams.js', 't50-options.js'].map(read));
    return { langs, ngrams, options } as LandeSources;
  } catch (cause) {
    throw new Error('the npm package lande is not installed as expected: run npm ci', { cause });
  }
}
