import { toHex } from 'viem';
import type { Hex } from 'viem';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { byteLength, elementBytes, packTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { readBundleDirectory } from '../bundle-files.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';

/** A model whose files this node has, and which match its id. */
export interface LocalModel {
  readonly modelId: Hex;
  readonly encoded: EncodedModel;
  /** Where the files came from. */
  readonly origin: string;
}

/** The models of this node, by id. */
export type ModelLibrary = ReadonlyMap<Hex, LocalModel>;

/** Wraps a model that is in memory already. @throws AdmissionError, or the compiler's errors, when it is not admissible. */
export function localModel(model: Model, origin = model.program.name): LocalModel {
  const encoded = encodeModel(model);
  return { modelId: toHex(encoded.modelId), encoded, origin };
}

/** Several models as a library. */
export const libraryOf = (models: readonly LocalModel[]): ModelLibrary => new Map(models.map((model) => [model.modelId, model]));

/**
 * Reads bundles. A bundle that is damaged, or does not match its own id, is left out and said so: the node neither serves nor checks that
 * model, but goes on with the others.
 * @throws UserError when no bundle is left.
 */
export async function loadModels(directories: readonly string[], log: Logger): Promise<ModelLibrary> {
  const models: LocalModel[] = [];
  for (const directory of directories) {
    try {
      models.push(localModel(await readBundleDirectory(directory), directory));
    } catch (error) {
      log.error({ bundle: directory, reason: reasonOf(error) }, 'this bundle is not usable: its model is neither served nor checked');
    }
  }
  if (models.length === 0) {
    throw new UserError(directories.length === 0 ? 'no models to work with' : `none of the bundles can be used: ${directories.join(', ')}`, {
      exitCode: directories.length === 0 ? ExitCode.usage : ExitCode.integrity,
      hint: 'name bundles with --models; `assay inspect <bundle>` says what is wrong with one',
    });
  }
  return libraryOf(models);
}

/**
 * A request's input as the input tensor's padded words: what is shorter than the tensor, as a text may be, is filled with zeros.
 * @throws RangeError when it is longer.
 */
export function inputWords(shape: TensorShape, input: Uint8Array): Uint8Array {
  const elements = new Uint8Array(shape.rows * shape.columns * elementBytes(shape.element));
  if (input.length > elements.length) throw new RangeError(`the input has ${input.length} bytes; the model takes ${elements.length} at most (${byteLength(shape)} padded)`);
  elements.set(input);
  return packTensor(shape, elements);
}
