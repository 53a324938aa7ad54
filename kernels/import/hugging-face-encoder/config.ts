import { z } from 'zod';
import { ImportError } from '../import-error.ts';
import { ELEMENT_FUNCTIONS } from '../onnx/element-functions.ts';

/** What the encoder's last layer feeds: nothing, one answer a text, or one answer a token. */
export type EncoderHead = 'none' | 'sequence' | 'tokens';

/** A transformer encoder's dimensions and settings, as its config.json has them. */
export interface EncoderConfig {
  /** Whose names the tensors have. XLM-RoBERTa and CamemBERT have RoBERTa's. */
  readonly family: 'bert' | 'distilbert' | 'roberta';
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly inner: number;
  /** Rows of the table of positions. */
  readonly positions: number;
  /** RoBERTa's first position has this number, being counted from behind the padding token's. */
  readonly firstPosition: number;
  readonly padToken: number;
  readonly epsilon: number;
  readonly activation: (x: number) => number;
  readonly head: EncoderHead;
}

const size = z.int().min(1).max(2 ** 24);
const epsilon = z.number().min(0).max(0.1);
const common = { vocab_size: size, max_position_embeddings: size.default(512), architectures: z.array(z.string()).max(16).default([]), is_decoder: z.boolean().default(false), position_embedding_type: z.string().default('absolute') };
const bertSchema = z.looseObject({
  ...common, hidden_size: size, num_hidden_layers: size, num_attention_heads: size, intermediate_size: size, hidden_act: z.string().default('gelu'), layer_norm_eps: epsilon.default(1e-12), pad_token_id: z.int().min(0).nullish(),
});
const distilbertSchema = z.looseObject({ ...common, dim: size, n_layers: size, n_heads: size, hidden_dim: size, activation: z.string().default('gelu'), pad_token_id: z.int().min(0).nullish() });

/** model_type of the configurations that are read. */
const FAMILIES: Readonly<Record<string, EncoderConfig['family']>> = { bert: 'bert', distilbert: 'distilbert', roberta: 'roberta', 'xlm-roberta': 'roberta', camembert: 'roberta' };
/** DistilBERT's configuration has no epsilon (transformers, modeling_distilbert.py). */
const DISTILBERT_EPSILON = 1e-12;
const LARGEST_LAYERS = 256;

/** Whether a config.json is one of an encoder that `importEncoder` reads; language models have others. */
export const isEncoderConfig = (config: Readonly<Record<string, unknown>>): boolean => typeof config['model_type'] === 'string' && Object.hasOwn(FAMILIES, config['model_type']);

/**
 * Reads the config.json of an encoder of the BERT family: BERT, DistilBERT, RoBERTa and those that have their layers (MiniLM, BGE, E5, XLM-RoBERTa). Defaults are those of the library `transformers`.
 * @throws ImportError for another architecture, or settings that are not supported (all are listed)
 */
export function readEncoderConfig(config: Readonly<Record<string, unknown>>): EncoderConfig {
  const type = config['model_type'];
  const family = isEncoderConfig(config) ? FAMILIES[type as string] : undefined;
  if (family === undefined) throw new ImportError(`config.json describes a model of type ${JSON.stringify(type ?? null)}; encoders of the types ${Object.keys(FAMILIES).join(', ')} are imported`);
  const parsed = (family === 'distilbert' ? distilbertSchema : bertSchema).safeParse(config);
  if (!parsed.success) throw new ImportError(`config.json is not understood: ${z.prettifyError(parsed.error)}`);
  const given = parsed.data as z.infer<typeof bertSchema> & z.infer<typeof distilbertSchema>;
  const [width, layers, heads, inner, named] = family === 'distilbert'
    ? [given.dim, given.n_layers, given.n_heads, given.hidden_dim, given.activation]
    : [given.hidden_size, given.num_hidden_layers, given.num_attention_heads, given.intermediate_size, given.hidden_act];
  const activation = activationOf(named);
  const padToken = given.pad_token_id ?? (family === 'roberta' ? 1 : 0);
  const problems = [
    ...(activation === null ? [`the activation ${JSON.stringify(named)}`] : []),
    ...(given.position_embedding_type === 'absolute' ? [] : [`positions of the kind ${JSON.stringify(given.position_embedding_type)}`]),
    ...(given.is_decoder ? ['is_decoder'] : []),
    ...(width % heads === 0 ? [] : [`${heads} heads of a width of ${width}`]),
    ...(layers <= LARGEST_LAYERS ? [] : [`${layers} layers`]),
    ...(padToken < given.vocab_size ? [] : [`a padding token ${padToken} of ${given.vocab_size}`]),
  ];
  if (activation === null || problems.length > 0) throw new ImportError(`config.json has settings that are not supported: ${problems.join('; ')}`);
  return {
    family, vocabulary: given.vocab_size, width, layers, heads, inner, positions: given.max_position_embeddings, firstPosition: family === 'roberta' ? padToken + 1 : 0, padToken,
    epsilon: family === 'distilbert' ? DISTILBERT_EPSILON : given.layer_norm_eps, activation, head: headOf(given.architectures),
  };
}

const headOf = (architectures: readonly string[]): EncoderHead =>
  architectures.some((name) => name.endsWith('ForSequenceClassification')) ? 'sequence' : architectures.some((name) => name.endsWith('ForTokenClassification')) ? 'tokens' : 'none';

/** The functions that transformers has under these names. */
function activationOf(name: string): ((x: number) => number) | null {
  const of = (operator: string, attributes: readonly (readonly [string, string])[] = []): ((x: number) => number) | null =>
    ELEMENT_FUNCTIONS[operator]?.({ operator, name, inputs: [], outputs: [], attributes: new Map(attributes) }) ?? null;
  switch (name) {
    case 'gelu': return of('Gelu');
    case 'gelu_new': case 'gelu_fast': case 'gelu_pytorch_tanh': return of('Gelu', [['approximate', 'tanh']]);
    case 'relu': return (x) => Math.max(x, 0);
    case 'silu': case 'swish': return of('Swish');
    default: return null;
  }
}
