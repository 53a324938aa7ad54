import { open, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { attach } from '../deterministic-runtime/bundle/attachments.ts';
import type { ConstantStore } from '../deterministic-runtime/bundle/constant-store.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { ImportError } from '../kernels/import/import-error.ts';
import { openLanguageModel } from '../kernels/import/language-model/open.ts';
import { importOnnx, quantizeNetwork } from '../kernels/import/onnx/import.ts';
import type { ImportedModel } from '../kernels/import/onnx/import.ts';
import { reportImport } from '../kernels/import/report.ts';
import type { ImportReport } from '../kernels/import/report.ts';
import { decodeTflite } from '../kernels/import/tflite/decode.ts';
import type { TfliteTensor } from '../kernels/import/tflite/decode.ts';
import { tfliteFloatNetwork } from '../kernels/import/tflite/float-network.ts';
import { importTensorFlowJs } from '../kernels/import/tensorflow-js/import.ts';
import { importTflite } from '../kernels/import/tflite/import.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { buildLande } from '../kernels/models/lande/program.ts';
import { readInputFile } from './cli/files.ts';
import { UserError } from './errors.ts';
import { loadLandePackage } from './lande-package.ts';
import { TOKENIZER_FILE } from './language-model.ts';
import { openModelFiles } from './model-files/open.ts';
import { readTensorFlowJs } from './model-files/tensorflow-js.ts';
import { loadStorytellerModel } from './storyteller-files.ts';

export interface ModelImportOptions {
  /** Typical inputs of a network, one after another. */
  readonly calibration?: Float32Array;
  /** End a network with the index of its greatest output. */
  readonly classify?: boolean;
  readonly name?: string;
  /** Longest prompt of a language model, in tokens. */
  readonly promptLimit?: number;
  /** Longest answer of a language model, in tokens. */
  readonly newTokens?: number;
  /** Bits of what enters a language model's matrix products. */
  readonly activationBits?: 8 | 16;
}

/** A model, and how far its operators' results are from the float network's, where there is one. */
export interface ImportedModelFile { readonly model: Model; readonly report?: ImportReport }

type Family = 'network' | 'language model' | 'package';

/** Options that mean something for each family, with their flags. */
const OPTIONS: Readonly<Record<Exclude<keyof ModelImportOptions, 'name'>, { readonly flag: string; readonly family: Family }>> = {
  calibration: { flag: '--calibration', family: 'network' },
  classify: { flag: '--classify', family: 'network' },
  promptLimit: { flag: '--prompt-limit', family: 'language model' },
  newTokens: { flag: '--new-tokens', family: 'language model' },
  activationBits: { flag: '--activation-bits', family: 'language model' },
};

const LANDE = 'npm:lande';
const STORYTELLER = 'storyteller';
const LANGUAGE_MODEL_FILE = /\.(gguf|safetensors|safetensors\.index\.json|bin)$/;
/** Where a TensorFlow Lite file says what it is: 4 bytes behind the root's offset. */
const TFLITE_IDENTIFIER = 'TFL3';

/**
 * A model from a file or folder in any of the known formats, or from a package. The weights of language models go where `openStore` says as they are read: to memory, if
 * nothing is said.
 * @throws UserError for what is not there or options that do not belong; ImportError for models that cannot be imported; RangeError for dimensions or options that no program has
 */
export async function importModelFile(source: string, options: ModelImportOptions, openStore?: () => Promise<ConstantStore>): Promise<ImportedModelFile> {
  if (source === LANDE || source === STORYTELLER) {
    refuseOptions(source, 'package', options);
    if (options.name !== undefined) throw new UserError(`--name is for model files, not for ${source}`);
    return { model: source === LANDE ? buildLande(await loadLandePackage()) : await loadStorytellerModel() };
  }
  if (source.startsWith('npm:')) throw new UserError(`${source} is not known: the one model that comes from npm is ${LANDE}`);
  if (await holdsLanguageModel(source)) {
    refuseOptions(source, 'language model', options);
    return { model: await importLanguageModel(source, options, openStore) };
  }
  refuseOptions(source, 'network', options);
  return importNetwork(source, options);
}

async function holdsLanguageModel(source: string): Promise<boolean> {
  const status = await stat(source).catch(() => null);
  if (status === null) return false;
  return status.isDirectory() || LANGUAGE_MODEL_FILE.test(source) || (status.isFile() && (await firstBytes(source, 4)) === 'GGUF');
}

async function importLanguageModel(source: string, { name, promptLimit, newTokens, activationBits }: ModelImportOptions, openStore: (() => Promise<ConstantStore>) | undefined): Promise<Model> {
  const files = await openModelFiles(source);
  try {
    const { weights, format, tokenizer: readTokenizer } = await openLanguageModel(files);
    checkTokenLimits(weights.architecture.context, promptLimit, newTokens);
    const tokenizer = await readTokenizer();
    const store = await openStore?.();
    const model = await buildLanguageModel(weights, {
      name: name ?? basename(source).replace(LANGUAGE_MODEL_FILE, ''),
      ...(promptLimit === undefined ? {} : { promptLimit }),
      ...(newTokens === undefined ? {} : { newTokenLimit: newTokens }),
      ...(activationBits === undefined ? {} : { activationBits }),
      metadata: { source: { format } },
      ...(store === undefined ? {} : { store }),
    });
    return tokenizer === undefined ? model : attach(model, { [TOKENIZER_FILE]: new TextEncoder().encode(JSON.stringify(tokenizer)) });
  } finally {
    await files.close();
  }
}

/** What is said of models with float weights that are imported without calibration data. */
const NEEDS_CALIBRATION = 'the model has float weights, and to make integers of them their inputs\' usual range is needed: give calibration data, raw float32 inputs one after another';

async function importTensorFlowJsFile(source: string, { calibration, classify, name }: ModelImportOptions): Promise<ImportedModelFile> {
  const files = await readTensorFlowJs(source);
  if (calibration === undefined) throw new ImportError(NEEDS_CALIBRATION);
  const imported = importTensorFlowJs(files, { calibration, classify: classify === true, ...(name === undefined ? {} : { name }) });
  return { model: imported.model, report: await reportImport(imported, calibration, createWasmExecutor()) };
}

async function importNetwork(source: string, options: ModelImportOptions): Promise<ImportedModelFile> {
  if (source.endsWith('.json')) return importTensorFlowJsFile(source, options);
  const { calibration, classify, name } = options;
  const bytes = await readInputFile(source);
  if (bytes.length === 0) throw new UserError(`${source} is empty`);
  const common = { classify: classify === true, ...(name === undefined ? {} : { name }), ...(calibration === undefined ? {} : { calibration }) };
  const isLite = source.endsWith('.tflite') || isTflite(bytes);
  if (isLite && !hasFloatWeights(bytes)) {
    refuseCalibration(source, calibration);
    return { model: importTflite(bytes, { ...common, name: name ?? basename(source, extname(source)) }).model };
  }
  const imported = isLite ? importFloatTflite(bytes, { ...common, name: name ?? basename(source, extname(source)) }) : importOnnx(bytes, common);
  const isFloat = imported.network.layers.length > 0;
  // Models that quantise while they run take fixed-point numbers, whose step follows from calibration data.
  const isDynamic = imported.model.program.input.element === 'i32';
  if (!isFloat && !isDynamic) refuseCalibration(source, calibration);
  return isFloat && calibration !== undefined ? { model: imported.model, report: await reportImport(imported, calibration, createWasmExecutor()) } : { model: imported.model };
}

/** Whether bytes are a TensorFlow Lite file, as they say themselves. */
export const isTflite = (bytes: Uint8Array): boolean => new TextDecoder('latin1').decode(bytes.subarray(4, 8)) === TFLITE_IDENTIFIER;

/** Whether a TensorFlow Lite model computes with floats alone. @throws ImportError on a damaged file */
function hasFloatWeights(bytes: Uint8Array): boolean {
  const types = new Set(decodeTflite(bytes).tensors.map(({ type }) => type));
  return types.has('float32') && !['int8', 'uint8', 'int16'].some((type) => types.has(type as TfliteTensor['type']));
}

function importFloatTflite(bytes: Uint8Array, { calibration, classify, name }: { readonly calibration?: Float32Array; readonly classify: boolean; readonly name: string }): ImportedModel {
  if (calibration === undefined) throw new ImportError(NEEDS_CALIBRATION);
  return quantizeNetwork(tfliteFloatNetwork(bytes, name), calibration, { classify, source: { format: 'tflite' } });
}

function refuseCalibration(source: string, calibration: Float32Array | undefined): void {
  if (calibration !== undefined) throw new UserError(`--calibration means nothing for ${source}`, { hint: 'it is quantised already, and keeps its integers' });
}

function checkTokenLimits(context: number, promptLimit: number | undefined, newTokens: number | undefined): void {
  for (const [flag, tokens] of [['--prompt-limit', promptLimit], ['--new-tokens', newTokens]] as const) {
    if (tokens !== undefined && tokens > context) throw new UserError(`${flag} ${tokens} is more than the model's context of ${context} tokens`);
  }
}

/** Refuses options that would have no effect. */
function refuseOptions(source: string, family: Family, options: ModelImportOptions): void {
  const stray = Object.entries(OPTIONS).filter(([key, option]) => option.family !== family && options[key as keyof typeof OPTIONS] !== undefined).map(([, { flag }]) => flag);
  if (stray.length > 0) throw new UserError(`${stray.join(' and ')} mean${stray.length === 1 ? 's' : ''} nothing for ${source}`, { hint: `it is a ${family}` });
}

async function firstBytes(path: string, count: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } catch (error) {
    throw new ImportError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    await file.close();
  }
}
