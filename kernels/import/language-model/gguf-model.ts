import type { Architecture, GlobalWeight, LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { ImportError } from '../import-error.ts';
import type { GgufFile } from './gguf-file.ts';
import type { GgufValue } from './gguf-header.ts';
import { columnsOf, rowsOf } from './stored-matrix.ts';
import type { StoredMatrix } from './stored-matrix.ts';
import { checkedWeights, importedArchitecture, listed } from './weights.ts';

/** Names of tensors (llama.cpp, src/llama-arch.cpp). */
const GLOBAL_NAMES: Readonly<Record<GlobalWeight, string>> = {
  embedding: 'token_embd.weight', positions: 'position_embd.weight', finalNorm: 'output_norm.weight', finalNormBias: 'output_norm.bias', output: 'output.weight',
};
const LAYER_NAMES: Readonly<Record<LayerWeight, string>> = {
  attentionNorm: 'attn_norm.weight', attentionNormBias: 'attn_norm.bias',
  query: 'attn_q.weight', key: 'attn_k.weight', value: 'attn_v.weight', attentionOutput: 'attn_output.weight',
  queryBias: 'attn_q.bias', keyBias: 'attn_k.bias', valueBias: 'attn_v.bias', attentionOutputBias: 'attn_output.bias',
  feedForwardNorm: 'ffn_norm.weight', feedForwardNormBias: 'ffn_norm.bias',
  gate: 'ffn_gate.weight', up: 'ffn_up.weight', down: 'ffn_down.weight', upBias: 'ffn_up.bias', downBias: 'ffn_down.bias',
};
/** GPT-2's queries, keys and values stand in one tensor, one below the other. */
const FUSED: readonly LayerWeight[] = ['query', 'key', 'value'];
const FUSED_BIASES: readonly LayerWeight[] = ['queryBias', 'keyBias', 'valueBias'];

/** Metadata under the architecture's own prefix that is understood; whatever else is there may change what the model computes. */
const DIMENSION_KEYS: readonly string[] = ['vocab_size', 'context_length', 'embedding_length', 'block_count', 'feed_forward_length', 'attention.head_count', 'attention.head_count_kv', 'attention.key_length',
  'attention.value_length', 'attention.layer_norm_rms_epsilon', 'attention.layer_norm_epsilon', 'rope.dimension_count', 'rope.freq_base', 'tensor_data_layout'];
/** What says more of a scaled rotary embedding, and nothing of one that is not. */
const SCALING_DETAILS: readonly string[] = ['rope.scaling.original_context_length', 'rope.scaling.finetuned'];
/** Values that change nothing; any other is refused. */
const NEUTRAL: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['attention.causal', [true]], ['rope.scaling.type', ['none']], ['rope.scaling.factor', [0, 1]], ['rope.scale_linear', [0, 1]], ['rope.scaling.attn_factor', [1]],
  ['expert_count', [0]], ['expert_used_count', [0]], ['logit_scale', [0, 1]], ['attention.scale', [0]], ['residual_scale', [0, 1]], ['embedding_scale', [0, 1]], ['attention.clamp_kqv', [0]],
  ['attention.max_alibi_bias', [0]], ['pooling_type', [0]],
]);

/**
 * The weights of a GGUF file of the architecture `llama` (also Mistral's, without sliding windows) or `gpt2`.
 * @throws ImportError for another architecture, for settings and tensors that are not understood (all are listed), or dimensions that do not fit
 */
export function ggufWeights({ metadata, tensors }: GgufFile): WeightSource {
  const family = metadata.get('general.architecture');
  if (family !== 'llama' && family !== 'gpt2') throw new ImportError(`the GGUF file's architecture is ${JSON.stringify(family ?? 'not named')}; llama and gpt2 are read`);
  const architecture = readArchitecture(family, metadata, tensors);
  const used = new Set<string>();
  const take = (name: string): StoredMatrix | undefined => {
    used.add(name);
    return tensors.get(name);
  };
  const weights = checkedWeights(architecture, (name) => findTensor(architecture, name, take));
  const unused = [...tensors.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) throw new ImportError(`the GGUF file has tensors that a ${family} is not made of: ${listed(unused)}`);
  return weights;
}

function findTensor({ family, width }: Architecture, name: WeightName, take: (name: string) => StoredMatrix | undefined): StoredMatrix | undefined {
  if (!('layer' in name)) return take(GLOBAL_NAMES[name.tensor]);
  const prefix = `blk.${name.layer}.`;
  if (family === 'gpt2') {
    const [rows, biases] = [FUSED.indexOf(name.tensor), FUSED_BIASES.indexOf(name.tensor)];
    const fused = rows >= 0 ? take(`${prefix}attn_qkv.weight`) : biases >= 0 ? take(`${prefix}attn_qkv.bias`) : undefined;
    if (fused !== undefined) {
      if (rows >= 0 && fused.rows === 3 * width) return rowsOf(fused, rows * width, width);
      if (biases >= 0 && fused.columns === 3 * width) return columnsOf(fused, biases * width, width);
      return fused;
    }
  }
  return take(`${prefix}${LAYER_NAMES[name.tensor]}`);
}

function readArchitecture(family: 'llama' | 'gpt2', metadata: ReadonlyMap<string, GgufValue>, tensors: ReadonlyMap<string, StoredMatrix>): Architecture {
  const prefix = `${family}.`;
  const get = (key: string): GgufValue | undefined => metadata.get(prefix + key);
  const number = (key: string, absent?: number): number => {
    const value = get(key) ?? absent;
    // Some converters write one number a layer, all the same.
    const single = Array.isArray(value) && value.length > 0 && value.every((element) => element === value[0]) ? (value[0] as GgufValue) : value;
    if (typeof single !== 'number') throw new ImportError(`the GGUF file's ${prefix}${key} is ${single === undefined ? 'missing' : 'not one number'}`);
    return single;
  };
  const [width, heads] = [number('embedding_length'), number('attention.head_count')];
  const headSize = number('attention.key_length', width / heads);
  const context = number('context_length');
  const problems = unknownSettings(prefix, metadata, context);
  if (number('attention.value_length', headSize) !== headSize) problems.push('attention.value_length differs from attention.key_length');
  if (family === 'llama' && number('rope.dimension_count', headSize) !== headSize) problems.push('rope.dimension_count differs from the size of a head');
  if (problems.length > 0) throw new ImportError(`the GGUF file has settings that are not supported: ${listed(problems)}`);
  const beginToken = metadata.get('tokenizer.ggml.bos_token_id');
  const endTokens = ['eos', 'eot', 'eom'].map((kind) => metadata.get(`tokenizer.ggml.${kind}_token_id`)).filter((token) => typeof token === 'number');
  return importedArchitecture({
    family, width, heads, headSize, context,
    vocabulary: tensors.get(GLOBAL_NAMES.embedding)?.rows ?? 0,
    hidden: number('feed_forward_length'),
    layers: number('block_count'),
    keyValueHeads: number('attention.head_count_kv', heads),
    normEpsilon: shortest(number(family === 'llama' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon')),
    ...(family === 'llama' ? { rotary: { base: number('rope.freq_base', 10000), pairs: 'adjacent' as const } } : {}),
    ...(typeof beginToken === 'number' ? { beginToken } : {}),
    endTokens: [...new Set(endTokens)],
  });
}

/** The number with the fewest digits that has the same binary32: metadata says 1e-5 in 32 bits. */
const shortest = (value: number): number => Number(Array.from({ length: 9 }, (_, digits) => value.toPrecision(digits + 1)).find((text) => Math.fround(Number(text)) === Math.fround(value)) ?? value);

function unknownSettings(prefix: string, metadata: ReadonlyMap<string, GgufValue>, context: number): string[] {
  const isScaled = ![undefined, 'none'].includes(metadata.get(`${prefix}rope.scaling.type`) as string | undefined);
  const changesNothing = (name: string, value: GgufValue): boolean => {
    if (DIMENSION_KEYS.includes(name)) return true;
    if (name === 'attention.sliding_window') return value === 0 || (typeof value === 'number' && value >= context);
    if (SCALING_DETAILS.includes(name)) return !isScaled;
    return NEUTRAL.get(name)?.includes(value) ?? false;
  };
  return [...metadata]
    .filter(([key, value]) => key.startsWith(prefix) && !changesNothing(key.slice(prefix.length), value))
    .map(([key, value]) => `${key} = ${typeof value === 'object' ? 'a list' : JSON.stringify(value)}`);
}
