import { basename, extname } from 'node:path';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { readEncoderConfig } from '../kernels/import/hugging-face-encoder/config.ts';
import { importEncoder } from '../kernels/import/hugging-face-encoder/import.ts';
import { ImportError } from '../kernels/import/import-error.ts';
import type { ModelFiles } from '../kernels/import/language-model/byte-source.ts';
import { readJsonObject } from '../kernels/import/language-model/json-file.ts';
import { withResidualWeights } from '../kernels/import/network/residual-weights.ts';
import { importPackage } from '../kernels/import/npm/import.ts';
import type { PackageRecipe } from '../kernels/import/npm/recipe.ts';
import { importOnnx, quantizeNetwork } from '../kernels/import/onnx/import.ts';
import type { ImportedModel } from '../kernels/import/onnx/import.ts';
import { reportImport } from '../kernels/import/report.ts';
import type { ImportReport } from '../kernels/import/report.ts';
import { importTensorFlowJs } from '../kernels/import/tensorflow-js/import.ts';
import { decodeTflite } from '../kernels/import/tflite/decode.ts';
import type { TfliteTensor } from '../kernels/import/tflite/decode.ts';
import { tfliteFloatNetwork } from '../kernels/import/tflite/float-network.ts';
import { importTflite } from '../kernels/import/tflite/import.ts';
import { readInputFile } from './cli/files.ts';
import { UserError } from './errors.ts';
import { quantizationOf, refuseOptions } from './model-import-options.ts';
import type { ModelImportOptions } from './model-import-options.ts';
import { packageReader } from './model-files/npm-package.ts';
import type { InstalledPackage } from './model-files/npm-package.ts';
import { readTensorFlowJs } from './model-files/tensorflow-js.ts';

/** A model, and how far its operators' results are from the float network's, where there is one. */
export interface ImportedModelFile { readonly model: Model; readonly report?: ImportReport }

/** What is said of models with float weights that are imported without calibration data. */
const NEEDS_CALIBRATION = 'the model has float weights, and to make integers of them their inputs\' usual range is needed: give calibration data, raw float32 inputs one after another';
/** Where a TensorFlow Lite file says what it is: 4 bytes behind the root's offset. */
const TFLITE_IDENTIFIER = 'TFL3';
/** Tokens that an encoder takes where nothing is said. */
const USUAL_TOKENS = 128;

/** A network from its file. @throws UserError, ImportError */
export async function importNetwork(source: string, options: ModelImportOptions): Promise<ImportedModelFile> {
  if (source.endsWith('.json')) return importTensorFlowJsFile(source, options);
  const bytes = await readInputFile(source);
  if (bytes.length === 0) throw new UserError(`${source} is empty`);
  if (source.endsWith('.tflite') || isTflite(bytes)) return importTfliteFile(source, bytes, options);
  const { calibration, name } = options;
  const imported = importOnnx(bytes, { ...quantizationOf(options), ...(name === undefined ? {} : { name }), ...(calibration === undefined ? {} : { calibration }) });
  const isFloat = imported.network.layers.length > 0;
  refuseOptions(source, isFloat ? 'network' : 'quantised network', options);
  if (isFloat && calibration !== undefined) return withReport(imported, calibration);
  // Models that quantise while they run take fixed-point numbers, whose step follows from calibration data.
  if (imported.model.program.input.element !== 'i32') refuseCalibration(source, calibration);
  return { model: imported.model };
}

async function importTfliteFile(source: string, bytes: Uint8Array, options: ModelImportOptions): Promise<ImportedModelFile> {
  const { calibration, classify, name = basename(source, extname(source)), weightBits } = options;
  if (!hasFloatWeights(bytes)) {
    refuseOptions(source, 'quantised network', options);
    refuseCalibration(source, calibration);
    return { model: importTflite(bytes, { classify: classify === true, name }).model };
  }
  refuseOptions(source, 'network', options);
  const network = tfliteFloatNetwork(bytes, name);
  if (calibration === undefined) throw new ImportError(NEEDS_CALIBRATION);
  return withReport(quantizeNetwork(weightBits === 16 ? withResidualWeights(network, () => true) : network, calibration, { ...quantizationOf(options), source: { format: 'tflite' } }), calibration);
}

async function importTensorFlowJsFile(source: string, options: ModelImportOptions): Promise<ImportedModelFile> {
  refuseOptions(source, 'network', options);
  const { calibration, name } = options;
  const files = await readTensorFlowJs(source);
  if (calibration === undefined) throw new ImportError(NEEDS_CALIBRATION);
  return withReport(importTensorFlowJs(files, { ...quantizationOf(options), calibration, ...(name === undefined ? {} : { name }) }), calibration);
}

/** An encoder from its folder. @throws UserError, ImportError */
export async function importEncoderFiles(source: string, files: ModelFiles, options: ModelImportOptions): Promise<ImportedModelFile> {
  refuseOptions(source, 'encoder', options);
  const { calibration, name = basename(source) } = options;
  if (calibration === undefined) throw new ImportError('the model has float weights, and to make integers of them typical texts are needed: give calibration data, token ids as float32, padded to the number of tokens each');
  const { positions, firstPosition } = readEncoderConfig(await readJsonObject(files, 'config.json'));
  const tokens = options.tokens ?? Math.min(USUAL_TOKENS, positions - firstPosition);
  return withReport(await importEncoder(files, { ...quantizationOf(options), calibration, name, tokens }), calibration);
}

/** The model of a package that is known. @throws UserError, ImportError */
export async function importKnownPackage(recipe: PackageRecipe, found: InstalledPackage, options: ModelImportOptions): Promise<ImportedModelFile> {
  const { calibration: given, name } = options;
  const { imported, calibration } = await importPackage(recipe, packageReader(found), `${found.name}@${found.version}`, { ...quantizationOf(options), ...(given === undefined ? {} : { calibration: given }), ...(name === undefined ? {} : { name }) });
  return withReport(imported, calibration);
}

const withReport = async (imported: ImportedModel, calibration: Float32Array): Promise<ImportedModelFile> =>
  ({ model: imported.model, report: await reportImport(imported, calibration, createWasmExecutor()) });

/** Whether bytes are a TensorFlow Lite file, as they say themselves. */
export const isTflite = (bytes: Uint8Array): boolean => new TextDecoder('latin1').decode(bytes.subarray(4, 8)) === TFLITE_IDENTIFIER;

/** Whether a TensorFlow Lite model computes with floats alone. @throws ImportError on a damaged file */
function hasFloatWeights(bytes: Uint8Array): boolean {
  const types = new Set(decodeTflite(bytes).tensors.map(({ type }) => type));
  return types.has('float32') && !['int8', 'uint8', 'int16'].some((type) => types.has(type as TfliteTensor['type']));
}

function refuseCalibration(source: string, calibration: Float32Array | undefined): void {
  if (calibration !== undefined) throw new UserError(`--calibration means nothing for ${source}`, { hint: 'it is quantised already, and keeps its integers' });
}
