import type { WeightSource } from '../../language-model/architecture.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { ImportError } from '../import-error.ts';
import type { ModelFiles } from './byte-source.ts';
import { openGguf } from './gguf-file.ts';
import { ggufWeights } from './gguf-model.ts';
import { readHuggingFaceConfig } from './hugging-face-config.ts';
import { huggingFaceWeights } from './hugging-face-model.ts';
import { readJsonObject } from './json-file.ts';
import { openLlama2c } from './llama2c.ts';
import { folderTokenizer, ggufTokenizer, llama2cTokenizer } from './tokenizer-files.ts';
import { listed } from './weights.ts';

/** A language model in the files of some format. */
export interface LanguageModelFile {
  readonly format: 'gguf' | 'safetensors' | 'llama2c';
  readonly weights: WeightSource;
  /** The tokenizer that the files hold; undefined where they hold none. @throws ImportError when it is not supported; the weights can be used all the same */
  tokenizer(): Promise<Tokenizer | undefined>;
}

const CONFIG = 'config.json';
const FIRST_PART = /-00001-of-\d{5}\.gguf$/;
const LATER_PART = /-\d{5}-of-\d{5}\.gguf$/;

/**
 * Opens a language model, in whichever format it is: GGUF (also split), safetensors with its config.json (also split), llama2c's `.bin`. Where a
 * folder was named, it must hold one model. Weights are read when they are asked for.
 * @throws ImportError when there is no model, or it is not supported; the message says why
 */
export async function openLanguageModel(files: ModelFiles): Promise<LanguageModelFile> {
  const main = files.main ?? mainFile(files.names);
  if (main === CONFIG || main.endsWith('.safetensors') || main.endsWith('.safetensors.index.json')) return openHuggingFace(files, main);
  const source = await files.open(main);
  const magic = new TextDecoder('latin1').decode(await source.read(0, Math.min(4, source.size)));
  if (magic === 'GGUF') {
    const gguf = await openGguf(files, main);
    const weights = ggufWeights(gguf);
    return { format: 'gguf', weights, tokenizer: async () => (gguf.metadata.has('tokenizer.ggml.model') ? ggufTokenizer(gguf.metadata, weights.architecture) : undefined) };
  }
  if (main.endsWith('.gguf')) throw new ImportError(`${main} is no GGUF file: it does not begin with GGUF`);
  if (main.endsWith('.bin')) {
    const weights = await openLlama2c(source);
    const name = [`tok${weights.architecture.vocabulary}.bin`, 'tokenizer.bin'].find((candidate) => files.names.includes(candidate));
    return { format: 'llama2c', weights, tokenizer: async () => (name === undefined ? undefined : llama2cTokenizer(files, name, weights.architecture)) };
  }
  throw new ImportError(`${main} is no language model: GGUF, safetensors with a config.json, and llama2.c's .bin are read`);
}

/** The one model of a folder. */
function mainFile(names: readonly string[]): string {
  if (names.includes(CONFIG)) return CONFIG;
  const models = names.filter((name) => (name.endsWith('.gguf') && (FIRST_PART.test(name) || !LATER_PART.test(name))) || name.endsWith('.safetensors'));
  const [only] = models;
  if (only !== undefined && models.length === 1) return only;
  throw new ImportError(models.length === 0 ? 'the folder holds no GGUF or safetensors model: name the file itself' : `the folder holds several models, so name one: ${listed(models)}`);
}

async function openHuggingFace(files: ModelFiles, main: string): Promise<LanguageModelFile> {
  const own = `${main.slice(0, -'.safetensors'.length)}.config.json`;
  const config = [own, CONFIG].find((name) => files.names.includes(name));
  if (config === undefined) throw new ImportError(`beside ${main} there is no config.json, which says how large the model is`);
  const weights = await huggingFaceWeights(files, readHuggingFaceConfig(await readJsonObject(files, config)));
  return { format: 'safetensors', weights, tokenizer: () => folderTokenizer(files, weights.architecture) };
}
