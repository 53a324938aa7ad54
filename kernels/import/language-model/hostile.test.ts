import { describe, expect, test } from 'vitest';
import { Random } from '../../../deterministic-runtime/language/testing/random.ts';
import { ImportError } from '../import-error.ts';
import type { ByteSource } from './byte-source.ts';
import { memorySource } from './byte-source.ts';
import { openLanguageModel } from './open.ts';
import { concatenated, floatBytes, ggufBytes, importError, jsonBytes, memoryFiles, safetensorsBytes } from './testing/files.ts';
import type { GgufEntry, GgufTensorBytes } from './testing/files.ts';
import { weightNames } from './weights.ts';

const [WIDTH, HIDDEN, VOCABULARY] = [8, 12, 10];
const SHAPES: readonly (readonly [string, string, number, number])[] = [
  ['blk.0.attn_norm.weight', 'input_layernorm.weight', 1, WIDTH], ['blk.0.ffn_norm.weight', 'post_attention_layernorm.weight', 1, WIDTH],
  ['blk.0.attn_q.weight', 'self_attn.q_proj.weight', WIDTH, WIDTH], ['blk.0.attn_k.weight', 'self_attn.k_proj.weight', WIDTH, WIDTH],
  ['blk.0.attn_v.weight', 'self_attn.v_proj.weight', WIDTH, WIDTH], ['blk.0.attn_output.weight', 'self_attn.o_proj.weight', WIDTH, WIDTH],
  ['blk.0.ffn_gate.weight', 'mlp.gate_proj.weight', HIDDEN, WIDTH], ['blk.0.ffn_up.weight', 'mlp.up_proj.weight', HIDDEN, WIDTH], ['blk.0.ffn_down.weight', 'mlp.down_proj.weight', WIDTH, HIDDEN],
];
const METADATA: Readonly<Record<string, GgufEntry>> = {
  'general.architecture': 'llama', 'llama.context_length': 16, 'llama.embedding_length': WIDTH, 'llama.feed_forward_length': HIDDEN, 'llama.block_count': 1,
  'llama.attention.head_count': 2, 'llama.attention.layer_norm_rms_epsilon': { float: 1e-5 }, 'tokenizer.ggml.tokens': ['a', 'b', 'c'], 'tokenizer.ggml.scores': { floats: [1, 2, 3] },
};
const values = (count: number): number[] => Array.from({ length: count }, (_, index) => index / 16 - 1);
const tensor = (name: string, rows: number, columns: number): GgufTensorBytes => ({ name, type: 0, dimensions: rows === 1 ? [columns] : [columns, rows], bytes: floatBytes(values(rows * columns)) });
const TENSORS = [tensor('token_embd.weight', VOCABULARY, WIDTH), tensor('output_norm.weight', 1, WIDTH), ...SHAPES.map(([name, , rows, columns]) => tensor(name, rows, columns))];
const without = (name: string): GgufTensorBytes[] => TENSORS.filter((each) => each.name !== name);

const gguf = (metadata: Readonly<Record<string, GgufEntry>> = {}, tensors = TENSORS): Uint8Array => ggufBytes({ ...METADATA, ...metadata }, tensors);
const openGguf = (bytes: Uint8Array): Promise<unknown> => openLanguageModel(memoryFiles({ 'a.gguf': bytes }));

const CONFIG = { architectures: ['LlamaForCausalLM'], vocab_size: VOCABULARY, hidden_size: WIDTH, intermediate_size: HIDDEN, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 16, tie_word_embeddings: true };
const HUGGING_FACE = {
  'model.embed_tokens.weight': { shape: [VOCABULARY, WIDTH], values: values(VOCABULARY * WIDTH) }, 'model.norm.weight': { shape: [WIDTH], values: values(WIDTH) },
  ...Object.fromEntries(SHAPES.map(([, name, rows, columns]) => [`model.layers.0.${name}`, { shape: rows === 1 ? [columns] : [rows, columns], values: values(rows * columns) }])),
};
const openConfig = (changes: Readonly<Record<string, unknown>>, tensors: Parameters<typeof safetensorsBytes>[0] = HUGGING_FACE): Promise<unknown> =>
  openLanguageModel(memoryFiles({ 'config.json': jsonBytes({ ...CONFIG, ...changes }), 'model.safetensors': safetensorsBytes(tensors) }));

/** Opens a model and reads all of it; true when that worked. Anything but an ImportError fails the test. */
async function readAll(files: Parameters<typeof memoryFiles>[0]): Promise<boolean> {
  try {
    const { weights } = await openLanguageModel(memoryFiles(files));
    for (const name of weightNames(weights.architecture.layers)) {
      const shape = weights.shape(name);
      if (shape !== undefined) await weights.rows(name, 0, shape.rows);
    }
    return true;
  } catch (error) {
    if (error instanceof ImportError) return false;
    throw error;
  }
}

/** A source that counts what is read of it. */
function counted(bytes: Uint8Array, size = bytes.length): { readonly source: ByteSource; readonly read: () => number } {
  let read = 0;
  const file = memorySource(bytes);
  return {
    source: {
      size,
      read: async (from, to) => {
        read += to - from;
        if (to > bytes.length) return concatenated([await file.read(Math.min(from, bytes.length), bytes.length), new Uint8Array(to - Math.max(from, bytes.length))]);
        return file.read(from, to);
      },
    },
    read: () => read,
  };
}

describe('GGUF', () => {
  test('the file as it is can be read', async () => {
    expect(await readAll({ 'a.gguf': gguf() })).toBe(true);
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    ['another architecture', () => gguf({ 'general.architecture': 'gemma3' }), /architecture is "gemma3"; llama and gpt2/],
    ['all settings that are not supported', () => gguf({ 'llama.rope.scaling.type': 'yarn', 'llama.rope.scaling.factor': { float: 4 }, 'llama.expert_count': 8, 'llama.unheard_of': 1 }), /rope\.scaling\.type = "yarn"; llama\.rope\.scaling\.factor = 4; llama\.expert_count = 8; llama\.unheard_of = 1/],
    ['a sliding window', () => gguf({ 'llama.attention.sliding_window': 4 }), /sliding_window = 4/],
    ['a missing tensor', () => gguf({}, without('blk.0.attn_k.weight')), /key of layer 0 is missing/],
    ['a missing dimension', () => ggufBytes({ 'general.architecture': 'llama' }, TENSORS), /llama\.embedding_length is missing/],
    ['heads a layer', () => gguf({ 'llama.attention.head_count_kv': { integers: [2, 1] } }), /head_count_kv is not one number/],
    ['tensors that the family has not', () => gguf({}, [...TENSORS, tensor('rope_freqs.weight', 1, 2), tensor('blk.0.ffn_gate_inp.weight', 2, WIDTH)]), /not made of: rope_freqs\.weight; blk\.0\.ffn_gate_inp\.weight/],
    ['a wrong shape', () => gguf({}, [...without('blk.0.ffn_up.weight'), tensor('blk.0.ffn_up.weight', HIDDEN, WIDTH + 1)]), /ffn_up\.weight has 12 × 9 elements, not 12 × 8/],
    ['all formats that are not read', () => gguf({}, TENSORS.map((each, index) => ({ ...each, type: index === 0 ? 22 : index === 1 ? 77 : 0 }))), /token_embd\.weight \(IQ2_S\); output_norm\.weight \(format 77\)/],
    ['rows that are no whole blocks', () => gguf({}, TENSORS.map((each) => ({ ...each, type: each.name.endsWith('up.weight') ? 12 : 0 }))), /no whole blocks of Q4_K/],
    ['a tensor beyond the end', () => gguf().subarray(0, gguf().length - 64), /reaches to byte \d+ of a file of/],
    ['a tensor twice', () => gguf({}, [...TENSORS, tensor('output_norm.weight', 1, WIDTH)]), /"output_norm\.weight" twice/],
    ['a begin token that is none', () => gguf({ 'tokenizer.ggml.bos_token_id': 10 }), /token 10 is not in a vocabulary of 10/],
    ['a bad alignment', () => gguf({ 'general.alignment': 0 }), /alignment is 0/],
    ['more layers than there are', () => gguf({ 'llama.block_count': 4294967295 }), /layers is an integer/],
    ['another magic', () => concatenated([Uint8Array.of(1), gguf().subarray(1)]), /does not begin with GGUF/],
    ['version 1', () => concatenated([gguf().subarray(0, 4), Uint8Array.of(1, 0, 0, 0), gguf().subarray(8)]), /version 1/],
    ['big-endian', () => concatenated([gguf().subarray(0, 4), Uint8Array.of(0, 0, 0, 3), gguf().subarray(8)]), /big-endian/],
    ['no bytes', () => new Uint8Array(0), /no GGUF file/],
    ['an infinite weight of zero bytes', () => gguf({}, TENSORS.map((each) => ({ ...each, dimensions: each.name === 'output_norm.weight' ? [2 ** 53 - 1, 2 ** 53 - 1] : each.dimensions }))), /reaches to byte|fit/],
  ])('%s', async (_, bytes, message) => {
    expect(await importError(openGguf(bytes()))).toMatch(message);
  });

  test('weights that are not finite', async () => {
    const bytes = gguf({}, TENSORS.map((each) => ({ ...each, bytes: each.name === 'output_norm.weight' ? floatBytes([0, 1, 2, NaN, 4, 5, 6, 7]) : each.bytes })));
    const { weights } = await openLanguageModel(memoryFiles({ 'a.gguf': bytes }));
    expect(await importError(weights.rows({ tensor: 'finalNorm' }, 0, 1))).toMatch(/output_norm\.weight has the element NaN in row 0/);
  });

  test('counts of 2^63 in a file that says it has terabytes: no more than the largest header is read', async () => {
    const bytes = gguf();
    const huge = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127);
    // The two counts, the length of the first key, and of the array of tokens.
    const array = bytes.findIndex((_, index) => new TextDecoder().decode(bytes.subarray(index, index + 21)) === 'tokenizer.ggml.tokens') + 21 + 8;
    for (const place of [8, 16, 24, array]) {
      const damaged = bytes.slice();
      damaged.set(huge, place);
      const { source, read } = counted(damaged, 2 ** 42);
      expect(await importError(openLanguageModel(memoryFiles({ 'a.gguf': source })))).toMatch(/damaged|truncated/);
      expect(read()).toBeLessThan(2 ** 29);
    }
  }, 30_000);

  test('truncated anywhere, and with any bit changed: an ImportError or a model', async () => {
    const bytes = gguf();
    for (let length = 0; length < bytes.length; length += 37) expect(await readAll({ 'a.gguf': bytes.slice(0, length) })).toBe(false);
    const random = new Random(11);
    let refused = 0;
    for (let round = 0; round < 600; round += 1) {
      const changed = bytes.slice();
      const index = random.integer(0, 1000);
      changed[index] = changed[index]! ^ (1 << random.integer(0, 7));
      if (!(await readAll({ 'a.gguf': changed }))) refused += 1;
    }
    expect(refused).toBeGreaterThan(200);
  });
});

describe('split GGUF', () => {
  const part = (index: number, tensors: readonly GgufTensorBytes[]): Uint8Array => ggufBytes({ ...(index === 0 ? METADATA : {}), 'split.no': index, 'split.count': 2, 'split.tensors.count': TENSORS.length }, tensors);
  const [first, second] = [part(0, TENSORS.slice(0, 5)), part(1, TENSORS.slice(5))];

  test('is one model, whichever part is named', async () => {
    const files = { 'a-00001-of-00002.gguf': first, 'a-00002-of-00002.gguf': second };
    expect(await readAll(files)).toBe(true);
    const { weights } = await openLanguageModel(memoryFiles(files, 'a-00001-of-00002.gguf'));
    expect([...(await weights.rows({ tensor: 'down', layer: 0 }, 1, 2))]).toEqual(values(WIDTH * HIDDEN).slice(HIDDEN, 2 * HIDDEN));
  });

  test('missing, misnamed and repeated parts', async () => {
    expect(await importError(openLanguageModel(memoryFiles({ 'a-00001-of-00002.gguf': first })))).toBe('parts of the split model are missing: a-00002-of-00002.gguf');
    expect(await importError(openLanguageModel(memoryFiles({ 'b.gguf': first })))).toMatch(/must be called/);
    expect(await importError(openLanguageModel(memoryFiles({ 'a-00001-of-00002.gguf': first, 'a-00002-of-00002.gguf': first })))).toMatch(/stands in two parts/);
  });
});

describe('safetensors', () => {
  test('the folder as it is can be read', async () => {
    expect(await readAll({ 'config.json': jsonBytes(CONFIG), 'model.safetensors': safetensorsBytes(HUGGING_FACE) })).toBe(true);
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['another architecture', { architectures: ['Qwen2ForCausalLM'] }, /Qwen2ForCausalLM; LlamaForCausalLM, MistralForCausalLM and GPT2LMHeadModel/],
    ['all settings that are not supported', { rope_scaling: { rope_type: 'llama3', factor: 8 }, hidden_act: 'gelu', quantization_config: {} }, /hidden_act = gelu; rope_scaling of type llama3; quantization_config/],
    ['a window of Mistral\'s', { architectures: ['MistralForCausalLM'], sliding_window: 8 }, /sliding_window = 8/],
    ['a window by default', { architectures: ['MistralForCausalLM'], max_position_embeddings: 8192 }, /sliding_window = 4096/],
    ['no output layer', { tie_word_embeddings: false }, /no lm_head\.weight/],
    ['heads that do not divide', { num_key_value_heads: 3 }, /cannot share 3 heads/],
    ['dimensions that are no numbers', { hidden_size: '8', vocab_size: null }, /vocab_size: .*; hidden_size: /],
    ['dimensions beyond all bounds', { num_hidden_layers: 1e300 }, /layers is an integer/],
    ['dimensions that the tensors have not', { intermediate_size: 13 }, /gate_proj\.weight has 12 × 8 elements, not 13 × 8/],
  ])('config.json: %s', async (_, changes, message) => {
    expect(await importError(openConfig(changes))).toMatch(message);
  });

  test('tensors of other architectures are listed', async () => {
    expect(await importError(openConfig({}, { ...HUGGING_FACE, 'model.layers.0.self_attn.q_norm.weight': { shape: [4], values: values(4) } }))).toMatch(/not made of: model\.layers\.0\.self_attn\.q_norm\.weight/);
  });

  test('an index leads to no file outside of the folder', async () => {
    for (const name of ['../secret.safetensors', '/etc/passwd', 'a/b.safetensors', '..\\b.safetensors', 'config.json', '.safetensors']) {
      const files = { 'config.json': jsonBytes(CONFIG), 'model.safetensors.index.json': jsonBytes({ weight_map: { 'model.norm.weight': name } }) };
      expect(await importError(openLanguageModel(memoryFiles(files)))).toMatch(/outside of its folder, or of another kind/);
    }
    const index = jsonBytes({ weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } });
    expect(await importError(openLanguageModel(memoryFiles({ 'config.json': jsonBytes(CONFIG), 'model.safetensors.index.json': index })))).toMatch(/missing: model-00001-of-00002\.safetensors; model-00002/);
  });

  test('in parts, it is one model', async () => {
    const entries = Object.entries(HUGGING_FACE);
    const [first, second] = [entries.slice(0, 4), entries.slice(4)].map((part) => Object.fromEntries(part)) as [typeof HUGGING_FACE, typeof HUGGING_FACE];
    const index = jsonBytes({ weight_map: Object.fromEntries(entries.map(([name], place) => [name, place < 4 ? 'one.safetensors' : 'two.safetensors'])) });
    expect(await readAll({ 'config.json': jsonBytes(CONFIG), 'model.safetensors.index.json': index, 'one.safetensors': safetensorsBytes(first), 'two.safetensors': safetensorsBytes(second) })).toBe(true);
  });

  test('truncated anywhere, and with any bit changed: an ImportError or a model', async () => {
    const bytes = safetensorsBytes(HUGGING_FACE);
    const config = jsonBytes(CONFIG);
    const random = new Random(12);
    let refused = 0;
    for (let length = 0; length < bytes.length; length += 41) expect(await readAll({ 'config.json': config, 'model.safetensors': bytes.slice(0, length) })).toBe(false);
    for (let round = 0; round < 600; round += 1) {
      const [changed, changedConfig] = [bytes.slice(), config.slice()];
      const file = round % 2 === 0 ? changed : changedConfig;
      const index = random.integer(0, Math.min(file.length, 1000) - 1);
      file[index] = file[index]! ^ (1 << random.integer(0, 7));
      if (!(await readAll({ 'config.json': changedConfig, 'model.safetensors': changed }))) refused += 1;
    }
    expect(refused).toBeGreaterThan(300);
  });

  test('headers that say too much', async () => {
    const withLength = (length: bigint, rest: string): Uint8Array => concatenated([new Uint8Array(new BigUint64Array([length]).buffer), new TextEncoder().encode(rest)]);
    for (const bytes of [withLength(2n ** 63n, '{}'), withLength(3n, '{}'), withLength(2n, '[]'), withLength(12n, '{"a":{"b":1}}'), withLength(1n, '{'), withLength(0n, '')]) {
      expect(await importError(openLanguageModel(memoryFiles({ 'config.json': jsonBytes(CONFIG), 'model.safetensors': bytes })))).toMatch(/damaged|missing/);
    }
  });
});

describe('folders', () => {
  test.each<[string, Parameters<typeof memoryFiles>[0], string | undefined, RegExp]>([
    ['of nothing', {}, undefined, /no GGUF or safetensors model/],
    ['of several models', { 'a.gguf': gguf(), 'b.gguf': gguf() }, undefined, /several models, so name one: a\.gguf; b\.gguf/],
    ['with safetensors alone', { 'model.safetensors': safetensorsBytes(HUGGING_FACE) }, undefined, /no config\.json/],
    ['with a config alone', { 'config.json': jsonBytes(CONFIG) }, undefined, /neither model\.safetensors nor/],
    ['with another file', { 'a.txt': Uint8Array.of(1, 2, 3) }, 'a.txt', /no language model/],
    ['with a config that is no JSON', { 'config.json': Uint8Array.of(123) }, undefined, /config\.json is not JSON/],
    ['with a config that is no object', { 'config.json': jsonBytes([1]) }, undefined, /no JSON object/],
    ['with a .bin that is none', { 'a.bin': new Uint8Array(100).fill(7) }, 'a.bin', /not a llama2\.c model/],
  ])('%s', async (_, files, main, message) => {
    expect(await importError(openLanguageModel(memoryFiles(files, main)))).toMatch(message);
  });
});
