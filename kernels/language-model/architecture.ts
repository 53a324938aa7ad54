/** How pairs of a head's components are rotated by RoPE: neighbours (2i, 2i+1), as llama2.c and GGUF store Llama; or i and i + headSize/2, as Hugging Face does. */
export type RotaryPairs = 'adjacent' | 'halves';

/** Rotary position embedding (arXiv 2104.09864): component pair `i` of position `t` turns by `t · base^(−2i/headSize)`. */
export interface Rotary {
  readonly base: number;
  readonly pairs: RotaryPairs;
}

/** The dimensions of a decoder-only transformer. */
export interface Architecture {
  /** `llama`: RMSNorm, RoPE, grouped-query attention, SwiGLU. `gpt2`: LayerNorm, learned positions, GELU (tanh form), biases everywhere. */
  readonly family: 'llama' | 'gpt2';
  readonly vocabulary: number;
  /** Width of the residual stream. */
  readonly width: number;
  /** Width of the feed-forward network's inner layer. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; divides `heads`. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Positions at most. */
  readonly context: number;
  readonly normEpsilon: number;
  /** For `llama`. */
  readonly rotary?: Rotary;
  /** Token that begins a text, and those that end one. */
  readonly beginToken?: number;
  readonly endTokens: readonly number[];
}

/** Tensors that stand once in a model. Matrices are [output][input]; the embedding is [vocabulary][width]; vectors have one row. */
export type GlobalWeight =
  | 'embedding'
  /** [context][width]; GPT-2 only. */
  | 'positions'
  | 'finalNorm' | 'finalNormBias'
  /** [vocabulary][width]; absent where the embedding serves for it too. */
  | 'output';

/** Tensors that every layer has; those with `Bias` are optional, `gate` is Llama's. */
export type LayerWeight =
  | 'attentionNorm' | 'attentionNormBias'
  | 'query' | 'key' | 'value' | 'attentionOutput'
  | 'queryBias' | 'keyBias' | 'valueBias' | 'attentionOutputBias'
  | 'feedForwardNorm' | 'feedForwardNormBias'
  | 'gate' | 'up' | 'down'
  | 'upBias' | 'downBias';

/** Names one tensor. */
export type WeightName = { readonly tensor: GlobalWeight } | { readonly tensor: LayerWeight; readonly layer: number };

/** A model file, read piece by piece: nothing larger than the rows that are asked for is in memory. */
export interface WeightSource {
  readonly architecture: Architecture;
  /** The tensor's shape; undefined where the model has none. */
  shape(name: WeightName): { readonly rows: number; readonly columns: number } | undefined;
  /** Rows [from, to) as real numbers, row by row. @throws RangeError for rows that the tensor has not */
  rows(name: WeightName, from: number, to: number): Promise<Float32Array>;
}
