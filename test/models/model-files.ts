import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The folder of public models and data that lies beside the project (or where ASSAY_MODELS says), or null where there is none. */
export function modelFiles(): string | null {
  const folder = process.env['ASSAY_MODELS'] ?? join(ROOT, '../shared/models');
  return existsSync(folder) ? folder : null;
}

/** The folder, or null after saying on the console that a test is skipped for lack of it. */
export function modelFilesOrSkip(what: string): string | null {
  const folder = modelFiles();
  if (folder === null) console.warn(`skipped: ${what} needs the folder of models (../shared/models, or ASSAY_MODELS)`);
  return folder;
}
