/** What the npm package `lande` ships, in its three data files (`standalone/t50-*.js`). */
export interface LandeSources {
  /** ISO 639-3 codes, one an output. */
  readonly langs: readonly string[];
  /** The vocabulary, by length; inputs of the network in this order. */
  readonly ngrams: {
    readonly unigrams: readonly string[];
    readonly bigrams: readonly string[];
    readonly trigrams: readonly string[];
    readonly quadgrams: readonly string[];
  };
  /** The network as the library toygrad writes it. */
  readonly options: { readonly layers: readonly LandeLayer[] };
}

export interface LandeLayer {
  readonly type: string;
  readonly filters?: number;
  readonly _biases?: string;
  readonly _filters?: readonly string[];
}

/** Values on the package's 8-bit grid: each stands for `values[i] / scale`. */
export interface Quantized { readonly scale: number; readonly values: Int8Array }

/** A fully connected layer: a row of weights for each output. */
export interface DenseLayer { readonly weights: readonly Quantized[]; readonly biases: Quantized }

/**
 * Reads toygrad's 8-bit encoding: the digit 1, the scale in decimal, `|`, then base64 of `trunc(value · scale + 127)` a byte.
 *
 * @throws Error when the text is not of this form or has another number of values.
 */
export function decodeQuantized(text: string, length: number): Quantized {
  const match = /^1(\d+(?:\.\d+)?)\|([A-Za-z0-9+/]+={0,2})$/.exec(text);
  if (match === null) throw new Error('weights are not in toygrad\'s 8-bit encoding ("1<scale>|<base64>")');
  const scale = Number(match[1]);
  const bytes = atob(match[2] ?? '');
  if (!(scale > 0) || bytes.length !== length) throw new Error(`expected ${length} weights with a positive scale, got ${bytes.length} with scale ${scale}`);
  const values = Int8Array.from(bytes, (character) => {
    const value = character.charCodeAt(0) - 127;
    if (value > 127) throw new Error('a weight is outside the 8-bit grid');
    return value;
  });
  return { scale, values };
}

/**
 * The two layers of the network `input → dense → relu → dense → softmax`.
 *
 * @throws Error when the network has another form.
 */
export function denseLayers({ langs, ngrams, options }: LandeSources): readonly [DenseLayer, DenseLayer] {
  const types = options.layers.map(({ type }) => type).join(', ');
  if (types !== 'input, dense, relu, dense, softmax') throw new Error(`expected the layers input, dense, relu, dense, softmax; the package has ${types}`);
  const inputs = vocabulary(ngrams).length;
  const hidden = options.layers[1]?._filters?.length ?? 0;
  return [denseLayer(options.layers[1], inputs, hidden), denseLayer(options.layers[3], hidden, langs.length)];
}

/** All n-grams, in the order of the network's inputs. */
export const vocabulary = (ngrams: LandeSources['ngrams']): readonly string[] =>
  [...ngrams.unigrams, ...ngrams.bigrams, ...ngrams.trigrams, ...ngrams.quadgrams];

function denseLayer(layer: LandeLayer | undefined, inputs: number, outputs: number): DenseLayer {
  const { _filters: filters = [], _biases: biases = '' } = layer ?? {};
  if (outputs === 0 || filters.length !== outputs) throw new Error(`expected a layer of ${outputs} outputs, got ${filters.length}`);
  return { weights: filters.map((filter) => decodeQuantized(filter, inputs)), biases: decodeQuantized(biases, outputs) };
}
