import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { attach } from '../deterministic-runtime/bundle/attachments.ts';
import type { ConstantStore } from '../deterministic-runtime/bundle/constant-store.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { isEncoderConfig } from '../kernels/import/hugging-face-encoder/config.ts';
import { ImportError } from '../kernels/import/import-error.ts';
import type { ModelFiles } from '../kernels/import/language-model/byte-source.ts';
import { readJsonObject } from '../kernels/import/language-model/json-file.ts';
import { openLanguageModel } from '../kernels/import/language-model/open.ts';
import { RECIPES } from '../kernels/import/npm/recipes.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { buildLande } from '../kernels/models/lande/program.ts';
import { UserError } from './errors.ts';
import { loadLandePackage } from './lande-package.ts';
import { TOKENIZER_FILE } from './language-model.ts';
import { refuseOptions } from './model-import-options.ts';
import type { ModelImportOptions } from './model-import-options.ts';
import { findPackage, onlyModelOf, parsePackageSource, pathInPackage } from './model-files/npm-package.ts';
import { openModelFiles } from './model-files/open.ts';
import { importEncoderFiles, importKnownPackage, importNetwork } from './network-import.ts';
import type { ImportedModelFile } from './network-import.ts';
import { loadStorytellerModel } from './storyteller-files.ts';

export type { ModelImportOptions } from './model-import-options.ts';
export type { ImportedModelFile } from './network-import.ts';

type OpenStore = () => Promise<ConstantStore>;

const LANDE = 'npm:lande';
const STORYTELLER = 'storyteller';
const LANGUAGE_MODEL_FILE = /\.(gguf|safetensors|safetensors\.index\.json|bin)$/;

/**
 * A model from a file or folder in any of the known formats, or from an npm package that is installed here. The weights of language models go where `openStore` says as they are
 * read: to memory, if nothing is said.
 * @throws UserError for what is not there or options that do not belong; ImportError for models that cannot be imported; RangeError for dimensions or options that no program has
 */
export async function importModelFile(source: string, options: ModelImportOptions, openStore?: OpenStore): Promise<ImportedModelFile> {
  if (source === LANDE || source === STORYTELLER) {
    refuseOptions(source, 'embedded model', options);
    return { model: source === LANDE ? buildLande(await loadLandePackage()) : await loadStorytellerModel() };
  }
  if (source.startsWith('npm:')) return importFromPackage(source, options, openStore);
  const status = await stat(source).catch(() => null);
  if (status !== null && (status.isDirectory() || LANGUAGE_MODEL_FILE.test(source) || (status.isFile() && (await firstBytes(source, 4)) === 'GGUF'))) {
    return importFiles(source, options, openStore);
  }
  return importNetwork(source, options);
}

/** The model of a package: by its recipe where there is one and no file of it is named, else its file. */
async function importFromPackage(source: string, options: ModelImportOptions, openStore: OpenStore | undefined): Promise<ImportedModelFile> {
  const parsed = parsePackageSource(source);
  const found = await findPackage(parsed, process.cwd());
  const recipe = parsed.path === undefined ? RECIPES.get(parsed.name) : undefined;
  if (recipe !== undefined) {
    refuseOptions(source, 'network', options);
    return importKnownPackage(recipe, found, options);
  }
  return importModelFile(parsed.path === undefined ? await onlyModelOf(found) : await pathInPackage(found, parsed.path), options, openStore);
}

/** A language model or an encoder, from one file or several. */
async function importFiles(source: string, options: ModelImportOptions, openStore: OpenStore | undefined): Promise<ImportedModelFile> {
  const files = await openModelFiles(source);
  try {
    if (await isEncoder(files)) return await importEncoderFiles(source, files, options);
    refuseOptions(source, 'language model', options);
    return { model: await importLanguageModel(source, files, options, openStore) };
  } finally {
    await files.close();
  }
}

const CONFIG = 'config.json';

async function isEncoder(files: ModelFiles): Promise<boolean> {
  if (files.main !== undefined && !files.main.endsWith('.safetensors')) return false;
  return files.names.includes(CONFIG) && isEncoderConfig(await readJsonObject(files, CONFIG));
}

async function importLanguageModel(source: string, files: ModelFiles, { name, promptLimit, newTokens, activationBits, weightBits }: ModelImportOptions, openStore: OpenStore | undefined): Promise<Model> {
  const { weights, format, tokenizer: readTokenizer } = await openLanguageModel(files);
  checkTokenLimits(weights.architecture.context, promptLimit, newTokens);
  const tokenizer = await readTokenizer();
  const store = await openStore?.();
  const model = await buildLanguageModel(weights, {
    name: name ?? basename(source).replace(LANGUAGE_MODEL_FILE, ''),
    ...(promptLimit === undefined ? {} : { promptLimit }),
    ...(newTokens === undefined ? {} : { newTokenLimit: newTokens }),
    ...(activationBits === undefined ? {} : { activationBits }),
    ...(weightBits === undefined ? {} : { weightBits }),
    metadata: { source: { format } },
    ...(store === undefined ? {} : { store }),
  });
  return tokenizer === undefined ? model : attach(model, { [TOKENIZER_FILE]: new TextEncoder().encode(JSON.stringify(tokenizer)) });
}

function checkTokenLimits(context: number, promptLimit: number | undefined, newTokens: number | undefined): void {
  for (const [flag, tokens] of [['--prompt-limit', promptLimit], ['--new-tokens', newTokens]] as const) {
    if (tokens !== undefined && tokens > context) throw new UserError(`${flag} ${tokens} is more than the model's context of ${context} tokens`);
  }
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
