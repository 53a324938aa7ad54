import { z } from 'zod';
import type { GlobalWeight, LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { weightShape } from '../../language-model/dimensions.ts';
import { ImportError } from '../import-error.ts';
import type { ModelFiles } from './byte-source.ts';
import type { HuggingFaceConfig } from './hugging-face-config.ts';
import { readJsonObject } from './json-file.ts';
import { readSafetensors } from './safetensors.ts';
import type { SafeTensor } from './safetensors.ts';
import { columnsOf, rowsOf, storedMatrix, transposedMatrix } from './stored-matrix.ts';
import type { StoredMatrix } from './stored-matrix.ts';
import { checkedWeights, listed } from './weights.ts';

type Names = { readonly global: Readonly<Partial<Record<GlobalWeight, string>>>; readonly layer: Readonly<Partial<Record<LayerWeight, string>>>; readonly layers: string };

/** Names of tensors (transformers, modeling_llama.py and modeling_gpt2.py). */
const LLAMA: Names = {
  global: { embedding: 'model.embed_tokens.weight', finalNorm: 'model.norm.weight', output: 'lm_head.weight' },
  layers: 'model.layers.',
  layer: {
    attentionNorm: 'input_layernorm.weight', feedForwardNorm: 'post_attention_layernorm.weight',
    query: 'self_attn.q_proj.weight', key: 'self_attn.k_proj.weight', value: 'self_attn.v_proj.weight', attentionOutput: 'self_attn.o_proj.weight',
    queryBias: 'self_attn.q_proj.bias', keyBias: 'self_attn.k_proj.bias', valueBias: 'self_attn.v_proj.bias', attentionOutputBias: 'self_attn.o_proj.bias',
    gate: 'mlp.gate_proj.weight', up: 'mlp.up_proj.weight', down: 'mlp.down_proj.weight', upBias: 'mlp.up_proj.bias', downBias: 'mlp.down_proj.bias',
  },
};
const GPT2: Names = {
  global: { embedding: 'wte.weight', positions: 'wpe.weight', finalNorm: 'ln_f.weight', finalNormBias: 'ln_f.bias', output: 'lm_head.weight' },
  layers: 'h.',
  layer: {
    attentionNorm: 'ln_1.weight', attentionNormBias: 'ln_1.bias', feedForwardNorm: 'ln_2.weight', feedForwardNormBias: 'ln_2.bias',
    query: 'attn.c_attn.weight', key: 'attn.c_attn.weight', value: 'attn.c_attn.weight', queryBias: 'attn.c_attn.bias', keyBias: 'attn.c_attn.bias', valueBias: 'attn.c_attn.bias',
    attentionOutput: 'attn.c_proj.weight', attentionOutputBias: 'attn.c_proj.bias',
    up: 'mlp.c_fc.weight', upBias: 'mlp.c_fc.bias', down: 'mlp.c_proj.weight', downBias: 'mlp.c_proj.bias',
  },
};
/** GPT-2's linear layers are stored [input][output] (transformers' Conv1D), and its queries, keys and values side by side. */
const TRANSPOSED: readonly string[] = ['query', 'key', 'value', 'attentionOutput', 'up', 'down'];
const FUSED: readonly string[] = ['query', 'key', 'value'];
const FUSED_BIASES: readonly string[] = ['queryBias', 'keyBias', 'valueBias'];
/** Buffers that old files hold: causal masks and rotary frequencies, which follow from the configuration. */
const BUFFER = /(?:^|\.)(?:attn\.bias|attn\.masked_bias|rotary_emb\.inv_freq)$/;

const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';
const PLAIN_NAME = /^[^/\\:\0]+$/;
const LARGEST_SPLIT = 4096;

/** The safetensors files of a model: the one that was named, `model.safetensors`, or those that the index lists. @throws ImportError when there are none */
export async function safetensorsNames(files: ModelFiles): Promise<string[]> {
  if (files.main !== undefined && files.main.endsWith('.safetensors') && !files.names.includes(INDEX)) return [files.main];
  if (files.names.includes(INDEX)) {
    const index = await readJsonObject(files, INDEX);
    const map = z.record(z.string(), z.string()).safeParse(index['weight_map']);
    if (!map.success) throw new ImportError(`${INDEX} has no weight_map from tensors to files`);
    const names = [...new Set(Object.values(map.data))];
    const strangers = names.filter((name) => !PLAIN_NAME.test(name) || name.startsWith('.') || !name.endsWith('.safetensors'));
    if (strangers.length > 0) throw new ImportError(`${INDEX} names files outside of its folder, or of another kind: ${listed(strangers.map((name) => JSON.stringify(name)))}`);
    if (names.length > LARGEST_SPLIT) throw new ImportError(`${INDEX} names ${names.length} files, more than ${LARGEST_SPLIT}`);
    const missing = names.filter((name) => !files.names.includes(name));
    if (missing.length > 0) throw new ImportError(`parts of the model are missing: ${listed(missing)}`);
    return names;
  }
  if (files.names.includes(SINGLE)) return [SINGLE];
  throw new ImportError(`the folder has neither ${SINGLE} nor ${INDEX}`);
}

/**
 * The weights of a Hugging Face model.
 * @throws ImportError when files are missing or malformed, or tensors are not those of the architecture (all are listed)
 */
export async function huggingFaceWeights(files: ModelFiles, { architecture, tied }: HuggingFaceConfig): Promise<WeightSource> {
  const tensors = new Map<string, SafeTensor>();
  for (const name of await safetensorsNames(files)) {
    for (const [key, tensor] of await readSafetensors(await files.open(name))) {
      if (tensors.has(key)) throw new ImportError(`tensor ${JSON.stringify(key)} stands in two parts of the model`);
      tensors.set(key, tensor);
    }
  }
  const names = architecture.family === 'llama' ? LLAMA : GPT2;
  const prefix = architecture.family === 'gpt2' && tensors.has('transformer.wte.weight') ? 'transformer.' : '';
  const used = new Set<string>();
  const fileName = (name: WeightName): string | undefined => {
    if ('layer' in name) return names.layer[name.tensor] === undefined ? undefined : `${prefix}${names.layers}${name.layer}.${names.layer[name.tensor]}`;
    return name.tensor === 'output' ? names.global.output : names.global[name.tensor] === undefined ? undefined : prefix + names.global[name.tensor];
  };
  const weights = checkedWeights(architecture, (name) => {
    const key = fileName(name);
    if (key !== undefined) used.add(key);
    const tensor = key === undefined || (name.tensor === 'output' && tied) ? undefined : tensors.get(key);
    return tensor === undefined ? undefined : matrixOf(key!, tensor, name, weightShape(architecture, name)?.rows ?? 1, architecture.family === 'gpt2');
  });
  if (!tied && weights.shape({ tensor: 'output' }) === undefined) throw new ImportError('the files have no lm_head.weight, and config.json does not say that the embedding serves for it (tie_word_embeddings)');
  const unused = [...tensors.keys()].filter((key) => !used.has(key) && !BUFFER.test(key));
  if (unused.length > 0) throw new ImportError(`the files have tensors that the architecture is not made of: ${listed(unused)}`);
  return weights;
}

/** The tensor as a matrix [output][input], or a vector. `rows` is how many it should have. */
function matrixOf(key: string, tensor: SafeTensor, { tensor: weight }: WeightName, rows: number, isGpt2: boolean): StoredMatrix {
  const { source, offset, format, type, shape } = tensor;
  if (format === undefined) throw new ImportError(`tensor ${key} has elements of type ${type}; F32, F16 and BF16 are read`);
  if (shape.length < 1 || shape.length > 2) throw new ImportError(`tensor ${key} has ${shape.length} dimensions, not one or two`);
  const [height, columns] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
  const bytes = { source, offset, format };
  if (!isGpt2) return storedMatrix(key, height, columns, bytes);
  const bias = FUSED_BIASES.indexOf(weight);
  if (bias >= 0) return columns % 3 === 0 ? columnsOf(storedMatrix(key, height, columns, bytes), (bias * columns) / 3, columns / 3) : storedMatrix(key, height, columns, bytes);
  if (!TRANSPOSED.includes(weight)) return storedMatrix(key, height, columns, bytes);
  const matrix = transposedMatrix(key, columns, height, bytes);
  const part = FUSED.indexOf(weight);
  return part >= 0 && matrix.rows === 3 * rows ? rowsOf(matrix, part * rows, rows) : matrix;
}
