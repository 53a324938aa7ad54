import { z } from 'zod';
import type { Architecture } from '../../language-model/architecture.ts';
import { ImportError } from '../import-error.ts';
import { importedArchitecture, listed } from './weights.ts';

/** What a config.json says of a model. */
export interface HuggingFaceConfig {
  readonly architecture: Architecture;
  /** The embedding serves as output layer too, whatever else the files hold. */
  readonly tied: boolean;
}

const number = z.number();
const token = z.int().min(0);
/** `end_of_sentence` may be one token or several. */
const tokens = z.union([token, z.array(token).max(64)]).nullish();
const rope = z.looseObject({ rope_type: z.string().optional(), type: z.string().optional(), rope_theta: number.optional() }).nullish();

const llamaSchema = z.looseObject({
  vocab_size: number, hidden_size: number, intermediate_size: number, num_hidden_layers: number, num_attention_heads: number, max_position_embeddings: number,
  num_key_value_heads: number.nullish(), head_dim: number.nullish(), rms_norm_eps: number.default(1e-6), hidden_act: z.string().default('silu'),
  rope_theta: number.nullish(), rope_scaling: rope, rope_parameters: rope, partial_rotary_factor: number.default(1), sliding_window: number.nullish(),
  tie_word_embeddings: z.boolean().default(false), bos_token_id: token.nullish(), eos_token_id: tokens, quantization_config: z.unknown().optional(),
});

const gpt2Schema = z.looseObject({
  vocab_size: number, n_embd: number, n_layer: number, n_head: number, n_positions: number, n_inner: number.nullish(),
  activation_function: z.string().default('gelu_new'), layer_norm_epsilon: number.default(1e-5), scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false), add_cross_attention: z.boolean().default(false), tie_word_embeddings: z.boolean().default(true),
  bos_token_id: token.nullish(), eos_token_id: tokens, quantization_config: z.unknown().optional(),
});

/** transformers' names for GELU in the form with tanh. */
const TANH_GELU = ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast'];
/** Mistral's configuration has other defaults than Llama's (transformers, configuration_mistral.py). */
const MISTRAL = { keyValueHeads: 8, window: 4096 };

/**
 * Reads the config.json of a Hugging Face model: LlamaForCausalLM, MistralForCausalLM where its window never closes, GPT2LMHeadModel.
 * Defaults are those of the library `transformers`.
 * @throws ImportError for another architecture, or settings that are not supported (all are listed)
 */
export function readHuggingFaceConfig(config: Readonly<Record<string, unknown>>): HuggingFaceConfig {
  const names = z.array(z.string()).max(16).catch([]).parse(config['architectures']);
  if (names.includes('LlamaForCausalLM')) return readLlama(parse(llamaSchema, config), false);
  if (names.includes('MistralForCausalLM')) return readLlama(parse(llamaSchema, config), config['sliding_window'] === undefined);
  if (names.includes('GPT2LMHeadModel')) return readGpt2(parse(gpt2Schema, config));
  throw new ImportError(`config.json names the architecture ${names.join(', ') || 'of no model'}; LlamaForCausalLM, MistralForCausalLM and GPT2LMHeadModel are read`);
}

function parse<T extends z.ZodType>(schema: T, config: Readonly<Record<string, unknown>>): z.infer<T> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new ImportError(`config.json is not understood: ${listed(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))}`);
}

function readLlama(config: z.infer<typeof llamaSchema>, windowByDefault: boolean): HuggingFaceConfig {
  const { hidden_size: width, num_attention_heads: heads, max_position_embeddings: context, rope_parameters: rope } = config;
  const isMistral = z.array(z.string()).catch([]).parse(config['architectures']).includes('MistralForCausalLM');
  const window = windowByDefault ? MISTRAL.window : isMistral ? config.sliding_window : undefined;
  const scaling = [config.rope_scaling, rope].map((settings) => settings?.rope_type ?? settings?.type).find((kind) => kind !== undefined && kind !== 'default');
  refuse([
    ...(config.hidden_act === 'silu' ? [] : [`hidden_act = ${config.hidden_act}`]),
    ...(scaling === undefined ? [] : [`rope_scaling of type ${scaling}`]),
    ...(config.rope_scaling != null && config.rope_scaling.rope_type === undefined && config.rope_scaling.type === undefined ? ['rope_scaling of no type'] : []),
    ...(config.partial_rotary_factor === 1 ? [] : [`partial_rotary_factor = ${config.partial_rotary_factor}`]),
    ...(typeof window === 'number' && window < context ? [`sliding_window = ${window}, less than max_position_embeddings = ${context}`] : []),
    ...(config.quantization_config == null ? [] : ['quantization_config']),
  ]);
  return {
    tied: config.tie_word_embeddings,
    architecture: importedArchitecture({
      family: 'llama', width, heads, context, vocabulary: config.vocab_size, hidden: config.intermediate_size, layers: config.num_hidden_layers,
      keyValueHeads: config.num_key_value_heads ?? (isMistral ? MISTRAL.keyValueHeads : heads),
      headSize: config.head_dim ?? width / heads, normEpsilon: config.rms_norm_eps,
      rotary: { base: config.rope_theta ?? rope?.rope_theta ?? 10000, pairs: 'halves' },
      ...specialTokens(config),
    }),
  };
}

function readGpt2(config: z.infer<typeof gpt2Schema>): HuggingFaceConfig {
  const { n_embd: width, n_head: heads } = config;
  refuse([
    ...(TANH_GELU.includes(config.activation_function) ? [] : [`activation_function = ${config.activation_function}`]),
    ...(config.scale_attn_weights ? [] : ['scale_attn_weights = false']),
    ...(config.scale_attn_by_inverse_layer_idx ? ['scale_attn_by_inverse_layer_idx = true'] : []),
    ...(config.add_cross_attention ? ['add_cross_attention = true'] : []),
    ...(config.quantization_config == null ? [] : ['quantization_config']),
  ]);
  return {
    tied: config.tie_word_embeddings,
    architecture: importedArchitecture({
      family: 'gpt2', width, heads, vocabulary: config.vocab_size, hidden: config.n_inner ?? 4 * width, layers: config.n_layer, keyValueHeads: heads,
      headSize: width / heads, context: config.n_positions, normEpsilon: config.layer_norm_epsilon, ...specialTokens(config),
    }),
  };
}

function specialTokens({ bos_token_id: begin, eos_token_id: end }: { readonly bos_token_id?: number | null | undefined; readonly eos_token_id?: number | number[] | null | undefined }): Pick<Architecture, 'beginToken' | 'endTokens'> {
  const endTokens = end == null ? [] : Array.isArray(end) ? end : [end];
  return { ...(begin == null ? {} : { beginToken: begin }), endTokens };
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new ImportError(`config.json has settings that are not supported: ${listed(problems)}`);
}
