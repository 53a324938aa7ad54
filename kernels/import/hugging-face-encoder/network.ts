import type { FloatTensor } from '../network/float-tensor.ts';
import type { Layer, Network } from '../network/layer.ts';
import type { EncoderConfig } from './config.ts';
import type { Affine, EncoderWeights, Linear } from './weights.ts';

/**
 * What a text's embedding is made of, where the model has no head: the mean of its tokens' vectors, the first token's, or every token's own.
 * `normalized` ones have the length 1 (the sentence-transformers' `Normalize`).
 */
export interface Pooling { readonly of: 'mean' | 'first' | 'tokens'; readonly normalized: boolean }

/** The network's one input: token ids, of a fixed number; texts that are shorter end with padding tokens, which nothing attends to. */
export const TOKEN_IDS = 'input_ids';
/** What scores of padding are: far below any other, and `calibrate` takes it for infinite. */
const MASKED = -1e4;
/** Smallest length that vectors are divided by (PyTorch, `functional.normalize`), squared. */
const NORMALIZE_EPSILON = 1e-24;

type Parts<L> = L extends Layer ? Omit<L, 'name' | 'output'> : never;

/** Layers, constants and dimensions while they are put together. */
class Build {
  readonly layers: Layer[] = [];
  readonly constants = new Map<string, FloatTensor>();
  readonly dims = new Map<string, readonly number[]>();
  readonly integers = new Set<string>([TOKEN_IDS]);

  constant(name: string, dims: readonly number[], data: FloatTensor['data']): string {
    this.constants.set(name, { dims, data });
    this.dims.set(name, dims);
    return name;
  }

  add(output: string, parts: Parts<Layer>, dims: readonly number[], integer = false): string {
    this.layers.push({ ...parts, name: output, output } as Layer);
    this.dims.set(output, dims);
    if (integer) this.integers.add(output);
    return output;
  }

  dense(output: string, x: string, { weights, bias }: Linear): string {
    return this.add(output, { kind: 'dense', x, weights, bias, range: null }, [...this.of(x).slice(0, -1), weights.dims[0] ?? 1]);
  }

  /** LayerNorm. */
  norm(output: string, x: string, { gain, offset }: Affine, epsilon: number): string {
    const dims = this.of(x);
    const normalized = this.add(`${output}.normalized`, { kind: 'normalization', x, centred: true, sum: false, epsilon }, dims);
    const scaled = this.add(`${output}.scaled`, { kind: 'multiply', x: normalized, b: this.constant(`${output}.gain`, [gain.length], gain), range: null }, dims);
    return this.add(output, { kind: 'add', x: scaled, b: this.constant(`${output}.offset`, [offset.length], offset), range: null }, dims);
  }

  of(name: string): readonly number[] {
    return this.dims.get(name) ?? [];
  }
}

/** The encoder as a network of floats, for texts of `length` tokens. */
export function encoderNetwork(config: EncoderConfig, weights: EncoderWeights, length: number, pooling: Pooling, name: string): Network {
  const build = new Build();
  const { width, heads, epsilon } = config;
  build.dims.set(TOKEN_IDS, [1, length]);
  const pad = build.constant('pad', [], Float64Array.of(config.padToken));
  build.integers.add(pad);
  const padding = build.add('padding', { kind: 'operation', operation: 'equal', x: TOKEN_IDS, b: pad }, [1, length], true);
  const hidden = build.add('padding.keys', { kind: 'reshape', x: padding }, [1, 1, 1, length], true);
  const masked = build.constant('masked', [], Float32Array.of(MASKED));
  const words = build.add('words', { kind: 'embedding', x: TOKEN_IDS, table: build.constant('words.table', weights.words.dims, weights.words.data) }, [1, length, width]);
  const first = config.firstPosition * width;
  const placed = build.add('embeddings.sum', { kind: 'add', x: words, b: build.constant('positions', [length, width], weights.positions.data.slice(first, first + length * width)), range: null }, [1, length, width]);
  let x = build.norm('embeddings', placed, weights.norm, epsilon);
  weights.layers.forEach((layer, index) => {
    const at = (what: string): string => `layer${index}.${what}`;
    const split = (what: string, linear: Linear): string => {
      const apart = build.add(at(`${what}.heads`), { kind: 'reshape', x: build.dense(at(what), x, linear) }, [1, length, heads, width / heads]);
      return build.add(at(`${what}.turned`), { kind: 'transpose', x: apart, order: [0, 2, 1, 3] }, [1, heads, length, width / heads]);
    };
    // Scores are divided by the root of a head's width: in the queries' weights.
    const [query, key, value] = [split('query', scaled(layer.query, 1 / Math.sqrt(width / heads))), split('key', layer.key), split('value', layer.value)];
    const square = [1, heads, length, length];
    const scores = build.add(at('scores'), { kind: 'matrix-product', x: query, b: key, transposed: true }, square);
    const seen = build.add(at('scores.masked'), { kind: 'select', x: hidden, a: masked, b: scores }, square);
    const shares = build.add(at('shares'), { kind: 'softmax', x: seen }, square);
    const mixed = build.add(at('mixed'), { kind: 'matrix-product', x: shares, b: value, transposed: false }, [1, heads, length, width / heads]);
    const turned = build.add(at('mixed.turned'), { kind: 'transpose', x: mixed, order: [0, 2, 1, 3] }, [1, length, heads, width / heads]);
    const joined = build.add(at('mixed.joined'), { kind: 'reshape', x: turned }, [1, length, width]);
    const attended = build.add(at('attention'), { kind: 'add', x: build.dense(at('attention.output'), joined, layer.attentionOutput), b: x, range: null }, [1, length, width]);
    const middle = build.norm(at('attention.norm'), attended, layer.attentionNorm, epsilon);
    const risen = build.dense(at('up'), middle, layer.up);
    const activated = build.add(at('activation'), { kind: 'function', x: risen, apply: config.activation }, build.of(risen));
    const sum = build.add(at('sum'), { kind: 'add', x: build.dense(at('down'), activated, layer.down), b: middle, range: null }, [1, length, width]);
    x = build.norm(at('output'), sum, layer.outputNorm, epsilon);
  });
  const output = weights.head === null ? pooled(build, x, padding, pooling) : classes(build, x, config, weights.head);
  const { layers, constants, dims, integers } = build;
  return { name, inputs: [TOKEN_IDS], outputs: [output], layers, constants, dims, integers };
}

const scaled = ({ weights: { dims, data }, bias }: Linear, factor: number): Linear => ({ weights: { dims, data: Float32Array.from(data, (value) => value * factor) }, bias: bias.map((value) => value * factor) });

/** The first token's vector. */
const firstOf = (build: Build, x: string): string => {
  const width = build.of(x).at(-1) ?? 1;
  return build.add('first', { kind: 'reshape', x: build.add('first.row', { kind: 'slice', x, starts: [0, 0, 0], steps: [1, 1, 1] }, [1, 1, width]) }, [1, width]);
};

function pooled(build: Build, x: string, padding: string, { of, normalized }: Pooling): string {
  const [, length = 1, width = 1] = build.of(x);
  const lengthOne = (value: string): string =>
    (normalized ? build.add('normalized', { kind: 'normalization', x: value, centred: false, sum: true, epsilon: NORMALIZE_EPSILON }, build.of(value)) : value);
  if (of === 'tokens') return lengthOne(x);
  if (of === 'first') return lengthOne(firstOf(build, x));
  const hidden = build.add('padding.tokens', { kind: 'reshape', x: padding }, [1, length, 1], true);
  const kept = build.add('kept', { kind: 'select', x: hidden, a: build.constant('nothing', [], Float32Array.of(0)), b: x }, [1, length, width]);
  const total = build.add('total', { kind: 'reduction', x: kept, operation: 'sum', axes: [1] }, [1, 1, width]);
  const row = build.add('total.row', { kind: 'reshape', x: total }, [1, width]);
  // A mean's direction is the sum's.
  if (normalized) return lengthOne(row);
  const present = build.add('present', { kind: 'function', x: padding, apply: (value) => (value === 0 ? 1 : 0) }, [1, length], true);
  const count = build.add('count', { kind: 'reduction', x: present, operation: 'sum', axes: [1] }, [1, 1], true);
  return build.add('mean', { kind: 'operation', operation: 'divide', x: row, b: count }, [1, width]);
}

/** The classes of a text, from its first token's vector, or of every token. */
function classes(build: Build, x: string, { family }: EncoderConfig, { dense, classes: last }: NonNullable<EncoderWeights['head']>): string {
  if (dense === null) return build.dense('classes', x, last);
  const given = build.dense('pooled', firstOf(build, x), dense);
  const apply = family === 'distilbert' ? (value: number): number => Math.max(value, 0) : Math.tanh;
  return build.dense('classes', build.add('pooled.activation', { kind: 'function', x: given, apply }, build.of(given)), last);
}
