import { describe, expect, test } from 'vitest';
import { Random } from '../../../deterministic-runtime/language/testing/random.ts';
import type { GlobalWeight, LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { openLanguageModel } from './open.ts';
import { floatBytes, ggufBytes, jsonBytes, memoryFiles, safetensorsBytes } from './testing/files.ts';
import type { GgufTensorBytes } from './testing/files.ts';
import { weightNames } from './weights.ts';

const [WIDTH, HIDDEN, VOCABULARY, CONTEXT, LAYERS] = [24, 80, 37, 11, 2];
const random = new Random(5);
const numbers = (count: number): number[] => Array.from({ length: count }, () => Math.fround(random.bits() / 2 ** 31));

/** Plain matrices [output][input] of one layer, as the paper has them. */
const layers = Array.from({ length: LAYERS }, () => ({
  query: numbers(WIDTH * WIDTH), key: numbers(WIDTH * WIDTH), value: numbers(WIDTH * WIDTH), attentionOutput: numbers(WIDTH * WIDTH), up: numbers(HIDDEN * WIDTH), down: numbers(WIDTH * HIDDEN),
  queryBias: numbers(WIDTH), keyBias: numbers(WIDTH), valueBias: numbers(WIDTH), attentionOutputBias: numbers(WIDTH), upBias: numbers(HIDDEN), downBias: numbers(WIDTH),
  attentionNorm: numbers(WIDTH), attentionNormBias: numbers(WIDTH), feedForwardNorm: numbers(WIDTH), feedForwardNormBias: numbers(WIDTH),
})) satisfies Partial<Record<LayerWeight, number[]>>[];
const globals: Partial<Record<GlobalWeight, number[]>> = { embedding: numbers(VOCABULARY * WIDTH), positions: numbers(CONTEXT * WIDTH), finalNorm: numbers(WIDTH), finalNormBias: numbers(WIDTH) };

const transposed = (values: readonly number[], columns: number): number[] =>
  Array.from({ length: values.length }, (_, index) => values[(index % (values.length / columns)) * columns + Math.floor(index / (values.length / columns))]!);

/** As transformers saves it: linear layers [input][output], queries, keys and values side by side, a causal mask as a buffer. */
function huggingFace(prefix: string): Uint8Array {
  const tensors: Record<string, { shape: number[]; values: readonly number[] }> = {
    [`${prefix}wte.weight`]: { shape: [VOCABULARY, WIDTH], values: globals.embedding! }, [`${prefix}wpe.weight`]: { shape: [CONTEXT, WIDTH], values: globals.positions! },
    [`${prefix}ln_f.weight`]: { shape: [WIDTH], values: globals.finalNorm! }, [`${prefix}ln_f.bias`]: { shape: [WIDTH], values: globals.finalNormBias! },
  };
  layers.forEach((layer, index) => {
    const h = `${prefix}h.${index}.`;
    tensors[`${h}attn.bias`] = { shape: [1, 1, CONTEXT, CONTEXT], values: numbers(CONTEXT ** 2) };
    tensors[`${h}attn.c_attn.weight`] = { shape: [WIDTH, 3 * WIDTH], values: transposed([...layer.query, ...layer.key, ...layer.value], WIDTH) };
    tensors[`${h}attn.c_attn.bias`] = { shape: [3 * WIDTH], values: [...layer.queryBias, ...layer.keyBias, ...layer.valueBias] };
    tensors[`${h}attn.c_proj.weight`] = { shape: [WIDTH, WIDTH], values: transposed(layer.attentionOutput, WIDTH) };
    tensors[`${h}attn.c_proj.bias`] = { shape: [WIDTH], values: layer.attentionOutputBias };
    tensors[`${h}mlp.c_fc.weight`] = { shape: [WIDTH, HIDDEN], values: transposed(layer.up, WIDTH) };
    tensors[`${h}mlp.c_fc.bias`] = { shape: [HIDDEN], values: layer.upBias };
    tensors[`${h}mlp.c_proj.weight`] = { shape: [HIDDEN, WIDTH], values: transposed(layer.down, HIDDEN) };
    tensors[`${h}mlp.c_proj.bias`] = { shape: [WIDTH], values: layer.downBias };
    for (const [name, norm] of [['ln_1', 'attentionNorm'], ['ln_2', 'feedForwardNorm']] as const) {
      tensors[`${h}${name}.weight`] = { shape: [WIDTH], values: layer[norm] };
      tensors[`${h}${name}.bias`] = { shape: [WIDTH], values: layer[`${norm}Bias`] };
    }
  });
  return safetensorsBytes(tensors);
}

const CONFIG = { architectures: ['GPT2LMHeadModel'], vocab_size: VOCABULARY, n_embd: WIDTH, n_layer: LAYERS, n_head: 4, n_positions: CONTEXT, n_inner: HIDDEN, activation_function: 'gelu_new', bos_token_id: 36, eos_token_id: 36 };

/** As llama.cpp's converter writes it: [output][input], queries, keys and values one below the other. */
function gguf(): Uint8Array {
  const tensor = (name: string, rows: number, values: readonly number[]): GgufTensorBytes => ({ name, type: 0, dimensions: rows === 1 ? [values.length] : [values.length / rows, rows], bytes: floatBytes(values) });
  const tensors = [
    tensor('token_embd.weight', VOCABULARY, globals.embedding!), tensor('position_embd.weight', CONTEXT, globals.positions!),
    tensor('output_norm.weight', 1, globals.finalNorm!), tensor('output_norm.bias', 1, globals.finalNormBias!),
    ...layers.flatMap((layer, index) => {
      const named = (name: string, rows: number, values: readonly number[]): GgufTensorBytes => tensor(`blk.${index}.${name}`, rows, values);
      return [
        named('attn_qkv.weight', 3 * WIDTH, [...layer.query, ...layer.key, ...layer.value]), named('attn_qkv.bias', 1, [...layer.queryBias, ...layer.keyBias, ...layer.valueBias]),
        named('attn_output.weight', WIDTH, layer.attentionOutput), named('attn_output.bias', 1, layer.attentionOutputBias),
        named('ffn_up.weight', HIDDEN, layer.up), named('ffn_up.bias', 1, layer.upBias), named('ffn_down.weight', WIDTH, layer.down), named('ffn_down.bias', 1, layer.downBias),
        named('attn_norm.weight', 1, layer.attentionNorm), named('attn_norm.bias', 1, layer.attentionNormBias), named('ffn_norm.weight', 1, layer.feedForwardNorm), named('ffn_norm.bias', 1, layer.feedForwardNormBias),
      ];
    }),
  ];
  return ggufBytes({
    'general.architecture': 'gpt2', 'gpt2.context_length': CONTEXT, 'gpt2.embedding_length': WIDTH, 'gpt2.feed_forward_length': HIDDEN, 'gpt2.block_count': LAYERS,
    'gpt2.attention.head_count': 4, 'gpt2.attention.layer_norm_epsilon': { float: 1e-5 }, 'tokenizer.ggml.bos_token_id': 36, 'tokenizer.ggml.eos_token_id': 36,
  }, tensors);
}

async function expectModel(weights: WeightSource): Promise<void> {
  expect(weights.architecture).toEqual({ family: 'gpt2', vocabulary: VOCABULARY, width: WIDTH, hidden: HIDDEN, layers: LAYERS, heads: 4, keyValueHeads: 4, headSize: 6, context: CONTEXT, normEpsilon: 1e-5, beginToken: 36, endTokens: [36] });
  const expected = (name: WeightName): readonly number[] | undefined => ('layer' in name ? (layers[name.layer] as Partial<Record<LayerWeight, number[]>>)[name.tensor] : globals[name.tensor]);
  for (const name of weightNames(LAYERS)) {
    const shape = weights.shape(name);
    if (expected(name) === undefined) expect(shape).toBeUndefined();
    else {
      expect([...(await weights.rows(name, 0, shape!.rows))], JSON.stringify(name)).toEqual(expected(name));
      // One row at a time, a transposed matrix is read in strides.
      for (const row of [0, shape!.rows - 1]) expect([...(await weights.rows(name, row, row + 1))]).toEqual(expected(name)!.slice(row * shape!.columns, (row + 1) * shape!.columns));
    }
  }
}

describe('GPT-2', () => {
  test('safetensors, with and without the prefix that the task models have', async () => {
    for (const prefix of ['', 'transformer.']) await expectModel((await openLanguageModel(memoryFiles({ 'config.json': jsonBytes(CONFIG), 'model.safetensors': huggingFace(prefix) }))).weights);
  });

  test('GGUF', async () => {
    await expectModel((await openLanguageModel(memoryFiles({ 'gpt2.gguf': gguf() }))).weights);
  });
});
