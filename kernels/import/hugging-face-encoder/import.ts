import { ImportError } from '../import-error.ts';
import type { ModelFiles } from '../language-model/byte-source.ts';
import { readJsonObject } from '../language-model/json-file.ts';
import { fuseLayers } from '../network/fuse.ts';
import type { Network } from '../network/layer.ts';
import { quantizeNetwork } from '../network/quantize-network.ts';
import type { ImportedModel, QuantizationOptions } from '../network/quantize-network.ts';
import { withResidualWeights } from '../network/residual-weights.ts';
import { readEncoderConfig } from './config.ts';
import type { EncoderConfig } from './config.ts';
import { encoderNetwork } from './network.ts';
import type { Pooling } from './network.ts';
import { readEncoderWeights } from './weights.ts';

export interface EncoderImportOptions extends Omit<QuantizationOptions, 'source'> {
  /** Tokens that the program takes: longer texts are cut by the caller, shorter ones end with padding tokens. */
  readonly tokens: number;
  /** Token ids of typical texts, padded to `tokens` each, one after another. */
  readonly calibration: Float32Array;
  /** For models without a head; the mean of the tokens' vectors, of length 1, where nothing is said. */
  readonly pooling?: Pooling;
  readonly name?: string;
  /** Sixteen: every dense layer as a sum of two, for twice the work; see `withResidualWeights`. */
  readonly weightBits?: 8 | 16;
}

const CONFIG = 'config.json';
/** Most tokens, and most elements of one value: the importer evaluates the network in floats. */
const MOST_TOKENS = 4096;
const MOST_ELEMENTS = 2 ** 24;

/**
 * Imports a transformer encoder of the BERT family (BERT, DistilBERT, RoBERTa, and MiniLM, BGE or E5, which have their layers) from Hugging Face's files: config.json and model.safetensors. The program takes
 * token ids and gives an embedding, or the classes' logits where config.json names an architecture for sequence or token classification.
 *
 * @example const { model } = await importEncoder(files, { tokens: 128, calibration: ids });
 * @throws ImportError when files are missing or malformed, the architecture is another, or calibration data is no whole number of texts or has ids outside of the vocabulary
 */
export async function importEncoder(files: ModelFiles, { tokens, calibration, pooling, name = 'encoder', weightBits = 8, ...options }: EncoderImportOptions): Promise<ImportedModel> {
  const { config, network } = await readEncoder(files, { tokens, name, ...(pooling === undefined ? {} : { pooling }) });
  const stranger = calibration.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= config.vocabulary);
  if (stranger >= 0) throw new ImportError(`number ${stranger} of the calibration data is ${calibration[stranger]}; token ids are whole numbers below ${config.vocabulary}`);
  return quantizeNetwork(weightBits === 16 ? withResidualWeights(network, () => true) : network, withPadding(calibration, tokens, config), { ...options, source: { format: 'safetensors', architecture: config.family } });
}

/** The encoder as a network of floats, and its configuration. @throws ImportError as `importEncoder` */
export async function readEncoder(files: ModelFiles, { tokens, pooling = { of: 'mean', normalized: true }, name = 'encoder' }: Pick<EncoderImportOptions, 'tokens' | 'pooling' | 'name'>): Promise<{ readonly config: EncoderConfig; readonly network: Network }> {
  const config = readEncoderConfig(await readJsonObject(files, CONFIG));
  const most = Math.min(MOST_TOKENS, config.positions - config.firstPosition);
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > most) throw new ImportError(`this encoder takes 1 to ${most} tokens, not ${tokens}`);
  const elements = tokens * Math.max(config.heads * tokens, config.inner, config.width);
  if (elements > MOST_ELEMENTS) throw new ImportError(`with ${tokens} tokens this encoder has values of ${elements} elements; at most ${MOST_ELEMENTS} are imported, so give fewer tokens`);
  return { config, network: fuseLayers(encoderNetwork(config, await readEncoderWeights(files, config), tokens, pooling, name)) };
}

/** Calibration has to see what padding does: where no text has any, the first one is added once more, with padding for its second half. */
function withPadding(calibration: Float32Array, tokens: number, { padToken }: EncoderConfig): Float32Array {
  if (tokens < 2 || calibration.length % tokens !== 0 || calibration.includes(padToken)) return calibration;
  const padded = calibration.slice(0, tokens).fill(padToken, Math.ceil(tokens / 2));
  return Float32Array.from([...calibration, ...padded]);
}
