import { ImportError } from '../import-error.ts';
import type { ModelFiles } from '../language-model/byte-source.ts';
import { safetensorsNames } from '../language-model/hugging-face-model.ts';
import { readSafetensors } from '../language-model/safetensors.ts';
import type { SafeTensor } from '../language-model/safetensors.ts';
import { listed } from '../language-model/weights.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import type { EncoderConfig } from './config.ts';

/** A matrix [outputs][inputs] and its bias. */
export interface Linear { readonly weights: FloatTensor; readonly bias: Float32Array }

/** Gain and offset of a normalisation. */
export interface Affine { readonly gain: Float32Array; readonly offset: Float32Array }

export interface EncoderLayerWeights {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly attentionOutput: Linear;
  readonly attentionNorm: Affine;
  readonly up: Linear;
  readonly down: Linear;
  readonly outputNorm: Affine;
}

export interface EncoderWeights {
  readonly words: FloatTensor;
  /** The table of positions, each with the first token type's embedding where the family has types. */
  readonly positions: FloatTensor;
  readonly norm: Affine;
  readonly layers: readonly EncoderLayerWeights[];
  /** What stands between the encoder and the classes, and those; null without a head. */
  readonly head: { readonly dense: Linear | null; readonly classes: Linear } | null;
}

interface Names {
  readonly prefix: string;
  readonly layer: (index: number) => Readonly<Record<'query' | 'key' | 'value' | 'attentionOutput' | 'attentionNorm' | 'up' | 'down' | 'outputNorm', string>>;
  /** The dense layer before a text's classes, and the classes. */
  readonly sequence: readonly [string, string];
}

const bertLayer: Names['layer'] = (index) => {
  const of = (name: string): string => `encoder.layer.${index}.${name}`;
  return {
    query: of('attention.self.query'), key: of('attention.self.key'), value: of('attention.self.value'), attentionOutput: of('attention.output.dense'),
    attentionNorm: of('attention.output.LayerNorm'), up: of('intermediate.dense'), down: of('output.dense'), outputNorm: of('output.LayerNorm'),
  };
};
/** transformers' names (modeling_bert.py, modeling_roberta.py, modeling_distilbert.py). */
const NAMES: Readonly<Record<EncoderConfig['family'], Names>> = {
  bert: { prefix: 'bert.', layer: bertLayer, sequence: ['pooler.dense', 'classifier'] },
  roberta: { prefix: 'roberta.', layer: bertLayer, sequence: ['classifier.dense', 'classifier.out_proj'] },
  distilbert: {
    prefix: 'distilbert.',
    layer: (index) => {
      const of = (name: string): string => `transformer.layer.${index}.${name}`;
      return {
        query: of('attention.q_lin'), key: of('attention.k_lin'), value: of('attention.v_lin'), attentionOutput: of('attention.out_lin'),
        attentionNorm: of('sa_layer_norm'), up: of('ffn.lin1'), down: of('ffn.lin2'), outputNorm: of('output_layer_norm'),
      };
    },
    sequence: ['pre_classifier', 'classifier'],
  },
};
const EMBEDDINGS = 'embeddings.';
const WORDS = `${EMBEDDINGS}word_embeddings.weight`;

/**
 * The weights of an encoder from its folder: `model.safetensors`, or the files that an index lists. Tensors that belong to other heads are not read.
 * @throws ImportError when files or tensors are missing or have other shapes than config.json says (all are listed), or a weight is not finite
 */
export async function readEncoderWeights(files: ModelFiles, config: EncoderConfig): Promise<EncoderWeights> {
  const tensors = new Map<string, SafeTensor>();
  for (const file of await safetensorsNames(files)) for (const [name, tensor] of await readSafetensors(await files.open(file))) tensors.set(name, tensor);
  const { prefix: own, layer, sequence: [denseName, classesName] } = NAMES[config.family];
  const prefix = tensors.has(`${own}${WORDS}`) ? own : '';
  const problems: string[] = [];
  const empty: FloatTensor = { dims: [0], data: new Float32Array() };
  const read = async (name: string, shape: readonly (number | null)[]): Promise<FloatTensor> => {
    const tensor = [`${prefix}${name}`, name].flatMap((key) => tensors.get(key) ?? [])[0];
    const problem = tensor === undefined ? `${name} is missing`
      : tensor.format === undefined ? `${name} has elements of type ${tensor.type}; F32, F16 and BF16 are read`
      : tensor.shape.length !== shape.length || tensor.shape.some((dim, axis) => dim < 1 || (shape[axis] !== null && dim !== shape[axis])) ? `${name} has the shape [${tensor.shape.join(', ')}], not [${shape.map((dim) => dim ?? 'any').join(', ')}]` : null;
    if (problem !== null || tensor?.format === undefined) {
      problems.push(problem ?? name);
      return empty;
    }
    const data = new Float32Array(tensor.shape.reduce((product, dim) => product * dim, 1));
    tensor.format.decode(await tensor.source.read(tensor.offset, tensor.offset + data.length * tensor.format.bytes), data);
    if (!data.every(Number.isFinite)) problems.push(`${name} has elements that are not finite`);
    return { dims: tensor.shape, data };
  };
  const float32 = ({ data }: FloatTensor): Float32Array => data as Float32Array;
  const linear = async (name: string, outputs: number | null, inputs: number): Promise<Linear> => ({ weights: await read(`${name}.weight`, [outputs, inputs]), bias: float32(await read(`${name}.bias`, [outputs])) });
  const affine = async (name: string): Promise<Affine> => {
    // Old files have the names of TensorFlow.
    const old = tensors.has(`${prefix}${name}.gamma`);
    return { gain: float32(await read(`${name}.${old ? 'gamma' : 'weight'}`, [config.width])), offset: float32(await read(`${name}.${old ? 'beta' : 'bias'}`, [config.width])) };
  };
  const { width, inner } = config;
  const words = await read(WORDS, [config.vocabulary, width]);
  const places = await read(`${EMBEDDINGS}position_embeddings.weight`, [config.positions, width]);
  const types = config.family === 'distilbert' ? null : await read(`${EMBEDDINGS}token_type_embeddings.weight`, [null, width]);
  const norm = await affine(`${EMBEDDINGS}LayerNorm`);
  const layers: EncoderLayerWeights[] = [];
  for (let index = 0; index < config.layers; index += 1) {
    const names = layer(index);
    layers.push({
      query: await linear(names.query, width, width), key: await linear(names.key, width, width), value: await linear(names.value, width, width),
      attentionOutput: await linear(names.attentionOutput, width, width), attentionNorm: await affine(names.attentionNorm),
      up: await linear(names.up, inner, width), down: await linear(names.down, width, inner), outputNorm: await affine(names.outputNorm),
    });
    if (problems.length > 0) break;
  }
  const head = config.head === 'none' ? null : {
    dense: config.head === 'sequence' ? await linear(denseName, width, width) : null,
    classes: await linear(config.head === 'sequence' ? classesName : 'classifier', null, width),
  };
  if (problems.length > 0) throw new ImportError(`the model's tensors do not fit its config.json: ${listed(problems)}`);
  const positions = { dims: places.dims, data: Float32Array.from(places.data, (value, index) => value + (types?.data[index % width] ?? 0)) };
  return { words, positions, norm, layers, head };
}
