import { concatenated, floatBytes } from '../../kernels/import/language-model/testing/files.ts';
import type { Architecture, LayerWeight, WeightName } from '../../kernels/language-model/architecture.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';

/** The smallest vocabulary of a tokenizer of bytes: unknown, begin, end, and the 256 bytes. */
const SPECIAL_TOKENS = 3;

/** A Llama of a few thousand random weights. */
export const TINY: Architecture = {
  family: 'llama', vocabulary: SPECIAL_TOKENS + 256, width: 32, hidden: 32, layers: 2, heads: 2, keyValueHeads: 1, headSize: 16, context: 40, normEpsilon: 1e-5,
  rotary: { base: 10_000, pairs: 'adjacent' }, beginToken: 1, endTokens: [1, 2],
};

/** In the order of run.c's memory_map_weights, where `w2` (down) stands before `w3` (up). */
const LAYERS: readonly LayerWeight[] = ['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'down', 'up'];

const integers = (...numbers: number[]): Uint8Array => new Uint8Array(Int32Array.from(numbers).buffer);

/** The model as a llama2.c file. */
export async function llama2cFile(): Promise<Uint8Array> {
  const source = randomWeights(TINY, 5);
  const all = async (name: WeightName): Promise<Uint8Array> => floatBytes(await source.rows(name, 0, source.shape(name)!.rows));
  const { width, hidden, layers, heads, keyValueHeads, vocabulary, context, headSize } = TINY;
  const parts = [integers(width, hidden, layers, heads, keyValueHeads, vocabulary, context), await all({ tensor: 'embedding' })];
  for (const tensor of LAYERS) for (let layer = 0; layer < layers; layer += 1) parts.push(await all({ tensor, layer }));
  return concatenated([...parts, await all({ tensor: 'finalNorm' }), floatBytes(new Float32Array(context * headSize))]);
}

/** Its tokenizer as llama2.c has it: length and score of each piece, a token for every byte. */
export function tokenizerFile(): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['<unk>', '\n<s>\n', '\n</s>\n', ...bytes].map((piece) => new TextEncoder().encode(piece));
  return concatenated([integers(8), ...pieces.flatMap((piece) => [floatBytes([0]), integers(piece.length), piece])]);
}
