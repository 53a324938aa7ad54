import type { Architecture, LayerWeight, GlobalWeight, WeightName } from './architecture.ts';

/** What a tensor's rows and columns are; undefined where models of this family have no such tensor. Biases are optional in files all the same. */
export function weightShape(architecture: Architecture, { tensor }: WeightName): { readonly rows: number; readonly columns: number } | undefined {
  const { family, vocabulary, width, hidden, heads, keyValueHeads, headSize, context } = architecture;
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  const vector = (columns: number): { rows: number; columns: number } => ({ rows: 1, columns });
  const shapes: Readonly<Partial<Record<GlobalWeight | LayerWeight, { rows: number; columns: number }>>> = {
    embedding: { rows: vocabulary, columns: width },
    output: { rows: vocabulary, columns: width },
    finalNorm: vector(width),
    attentionNorm: vector(width),
    feedForwardNorm: vector(width),
    query: { rows: queries, columns: width },
    key: { rows: keys, columns: width },
    value: { rows: keys, columns: width },
    attentionOutput: { rows: width, columns: queries },
    up: { rows: hidden, columns: width },
    down: { rows: width, columns: hidden },
    queryBias: vector(queries),
    keyBias: vector(keys),
    valueBias: vector(keys),
    attentionOutputBias: vector(width),
    upBias: vector(hidden),
    downBias: vector(width),
    ...(family === 'llama'
      ? { gate: { rows: hidden, columns: width } }
      : { positions: { rows: context, columns: width }, finalNormBias: vector(width), attentionNormBias: vector(width), feedForwardNormBias: vector(width) }),
  };
  return shapes[tensor];
}

/**
 * Refuses dimensions that no program can be made of.
 * @throws RangeError that names the first one and what it may be
 */
export function checkArchitecture(architecture: Architecture): void {
  const { family, vocabulary, width, hidden, layers, heads, keyValueHeads, headSize, context, normEpsilon, rotary, beginToken, endTokens } = architecture;
  for (const [name, value, most] of [
    ['vocabulary', vocabulary, 2 ** 20], ['width', width, 2 ** 16], ['hidden', hidden, 2 ** 18], ['layers', layers, 2 ** 8], ['heads', heads, 2 ** 10],
    ['keyValueHeads', keyValueHeads, 2 ** 10], ['headSize', headSize, 2 ** 10], ['context', context, 2 ** 20],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > most) throw new RangeError(`a language model's ${name} is an integer from 1 to ${most}, not ${value}`);
  }
  if (heads % keyValueHeads !== 0) throw new RangeError(`${heads} heads cannot share ${keyValueHeads} heads of keys and values evenly`);
  if (!(normEpsilon >= 0 && normEpsilon <= 1)) throw new RangeError(`a norm's epsilon lies between 0 and 1, not ${normEpsilon}`);
  if (family === 'llama') {
    if (rotary === undefined) throw new RangeError('a Llama needs a rotary position embedding');
    if (!(rotary.base > 1 && rotary.base <= 1e12)) throw new RangeError(`a rotary base lies between 1 and 1e12, not ${rotary.base}`);
    if (headSize % 2 !== 0) throw new RangeError(`rotary position embedding pairs a head's components, so a head of ${headSize} has one too many`);
  }
  for (const token of [...endTokens, ...(beginToken === undefined ? [] : [beginToken])]) {
    if (!Number.isInteger(token) || token < 0 || token >= vocabulary) throw new RangeError(`token ${token} is not in a vocabulary of ${vocabulary}`);
  }
}
