import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BundleError } from '../../deterministic-runtime/bundle/bundle.ts';
import { admit, AdmissionError } from '../../deterministic-runtime/program/admission.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { readBundleDirectory, writeBundleDirectory } from '../bundle-files.ts';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import { codeOf, writeError } from './files.ts';

/**
 * A bundle's model, checked against its id.
 * @throws UserError: with exit code `usage` when there is no bundle to read, with `integrity` when there is one that does not hold
 */
export async function openBundle(directory: string): Promise<EncodedModel> {
  const status = await stat(resolve(directory)).catch(() => null);
  if (status === null) throw new UserError(`${directory} does not exist`, { hint: 'name the directory of a bundle; assay import makes one' });
  if (!status.isDirectory()) throw new UserError(`${directory} is no directory`, { hint: 'name the directory of a bundle; assay import makes one of a model file' });
  try {
    return admit(await readBundleDirectory(directory));
  } catch (error) {
    if (!(error instanceof BundleError) && !(error instanceof AdmissionError)) throw error;
    if (codeOf(error) !== '') throw new UserError(error.message, { cause: error });
    throw new UserError(`the bundle ${directory} is not usable: ${reasonOf(error)}`, { exitCode: ExitCode.integrity, hint: 'get it again, or import the model again', cause: error });
  }
}

/** Writes a model as a bundle: whole, or not at all. @throws UserError */
export async function saveBundle(directory: string, model: Model): Promise<void> {
  try {
    await writeBundleDirectory(directory, model);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    if (error.cause === undefined) throw new UserError(error.message, { cause: error });
    throw writeError(directory, error.cause);
  }
}
