import { ImportError } from '../import-error.ts';
import { inputSize } from '../network/evaluate.ts';
import { quantizeNetwork } from '../network/quantize-network.ts';
import type { ImportedModel, QuantizationOptions } from '../network/quantize-network.ts';
import { withResidualWeights } from '../network/residual-weights.ts';
import type { PackageReader, PackageRecipe } from './recipe.ts';

export interface PackageImportOptions extends Omit<QuantizationOptions, 'source'> {
  /** As the recipe wants it; made-up inputs otherwise. */
  readonly calibration?: Float32Array;
  readonly name?: string;
  readonly weightBits?: 8 | 16;
}

/** An integer program of a known package's model, and the inputs that its ranges come from. */
export interface ImportedPackage { readonly imported: ImportedModel; readonly calibration: Float32Array }

/**
 * Imports the model of a known package.
 * @param description the package's name and version, for the metadata
 * @throws ImportError when the package's files are others than the recipe expects, or calibration data does not fit
 */
export async function importPackage(recipe: PackageRecipe, files: PackageReader, description: string, options: PackageImportOptions = {}): Promise<ImportedPackage> {
  const { calibration: given, name = recipe.name, weightBits = recipe.weightBits, activationBits = recipe.activationBits, ...rest } = options;
  const network = { ...(await recipe.read(files)), name };
  const calibration = given === undefined ? recipe.calibration(network) : (recipe.toInputs?.(network, given) ?? given);
  if (calibration.length === 0 || calibration.length % inputSize(network) !== 0) throw new ImportError(`calibration data has ${calibration.length} numbers, which is not one or more whole inputs of ${inputSize(network)}`);
  const source = { format: recipe.format, package: description, ...(given === undefined ? { calibration: 'made up' } : {}) };
  return { imported: quantizeNetwork(weightBits === 16 ? withResidualWeights(network, () => true) : network, calibration, { ...rest, activationBits, source }), calibration };
}
