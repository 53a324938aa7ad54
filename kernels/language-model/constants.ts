import type { ProgramBuilder, Tensor } from '../program-builder.ts';
import { ACTIVATION_LIMIT, FRACTION_BITS } from '../quantize-rows.ts';
import type { ActivationBits } from '../quantize-rows.ts';
import type { Architecture, LayerWeight, WeightName, WeightSource } from './architecture.ts';
import { fixedScales, quantizeMatrix, vectorOf } from './quantized-weights.ts';
import type { QuantizedMatrix } from './quantized-weights.ts';
import { activationTable, rotaryTables } from './tables.ts';

/** How a transformer is quantised. */
export interface TransformerPlan {
  readonly architecture: Architecture;
  readonly positions: number;
  readonly activationBits: ActivationBits;
  readonly attentionBits: ActivationBits;
  readonly tokenWeightBits: ActivationBits;
  readonly weightBits: ActivationBits;
}

/** A norm's gain in units of 2^exponent, and its bias as real numbers, which goes into the biases of the matrices that read the normalised row. */
export interface Norm { readonly gain: Tensor; readonly exponent: number; readonly bias: Float64Array }

/** A matrix with what `projection` takes beside it. */
export interface Projection {
  readonly matrix: QuantizedMatrix;
  readonly scales: Tensor;
  readonly exponent: number;
  readonly drop: number;
  /** In fixed point; absent where it is zero. */
  readonly bias: Tensor | undefined;
}

/** A table of rows with what `embedding` takes beside it. */
export interface Rows { readonly matrix: QuantizedMatrix; readonly scales: Tensor; readonly shift: number }

export interface LayerConstants {
  readonly attentionNorm: Norm;
  readonly attentionInput: Projection;
  readonly attentionOutput: Projection;
  readonly feedForwardNorm: Norm;
  readonly feedForwardInput: Projection;
  readonly feedForwardOutput: Projection;
}

export interface TransformerConstants {
  readonly embedding: Rows;
  readonly positions: Rows | undefined;
  readonly layers: readonly LayerConstants[];
  readonly finalNorm: Norm;
  readonly output: Projection;
  readonly activation: Tensor;
  readonly rotary: ReturnType<typeof rotaryTables> | undefined;
}

const ONE = 2 ** FRACTION_BITS;
/** Norms' gains have this many bits at most. */
const GAIN_BITS = 20;
/** A scale and a row's scale, of 31 bits each, are multiplied to 31 bits. */
const SCALE_BITS = 31;

/** Reads and quantises all weights, piece by piece. @throws RangeError for weights that are missing or not finite */
export async function loadConstants(builder: ProgramBuilder, source: WeightSource, plan: TransformerPlan): Promise<TransformerConstants> {
  const { architecture, positions, activationBits, tokenWeightBits, weightBits } = plan;
  const { family, width, layers, headSize, rotary } = architecture;
  const loader = { builder, source, activationBits, weightBits };
  const embedding = await quantizeMatrix(builder, source, [{ tensor: 'embedding' }], tokenWeightBits);
  const finalNorm = await loadNorm(builder, source, { tensor: 'finalNorm' }, { tensor: 'finalNormBias' }, width);
  const ownOutput = source.shape({ tensor: 'output' }) !== undefined;
  return {
    embedding: rowsOf(builder, embedding),
    positions: family === 'gpt2' ? rowsOf(builder, await quantizeMatrix(builder, source, [{ tensor: 'positions' }], 16)) : undefined,
    layers: await inOrder(layers, (layer) => loadLayer(loader, architecture, layer)),
    finalNorm,
    output: await loadProjection(loader, [{ tensor: ownOutput ? 'output' : 'embedding' }], [], finalNorm.bias, { bits: tokenWeightBits, known: ownOutput ? undefined : embedding }),
    activation: activationTable(builder, family),
    rotary: family === 'llama' && rotary !== undefined ? rotaryTables(builder, rotary, positions, headSize) : undefined,
  };
}

async function inOrder<T>(count: number, load: (index: number) => Promise<T>): Promise<T[]> {
  const loaded: T[] = [];
  for (let index = 0; index < count; index += 1) loaded.push(await load(index));
  return loaded;
}

interface Loader { readonly builder: ProgramBuilder; readonly source: WeightSource; readonly activationBits: ActivationBits; readonly weightBits: ActivationBits }

async function loadLayer(loader: Loader, { family, width }: Architecture, layer: number): Promise<LayerConstants> {
  const { builder, source } = loader;
  const names = (...tensors: LayerWeight[]): WeightName[] => tensors.map((tensor) => ({ tensor, layer }));
  const norm = (tensor: 'attentionNorm' | 'feedForwardNorm'): Promise<Norm> => loadNorm(builder, source, { tensor, layer }, { tensor: `${tensor}Bias`, layer }, width);
  const attentionNorm = await norm('attentionNorm');
  const feedForwardNorm = await norm('feedForwardNorm');
  return {
    attentionNorm,
    attentionInput: await loadProjection(loader, names('query', 'key', 'value'), names('queryBias', 'keyBias', 'valueBias'), attentionNorm.bias),
    attentionOutput: await loadProjection(loader, names('attentionOutput'), names('attentionOutputBias')),
    feedForwardNorm,
    feedForwardInput: family === 'llama'
      ? await loadProjection(loader, names('gate', 'up'), [undefined, ...names('upBias')], feedForwardNorm.bias)
      : await loadProjection(loader, names('up'), names('upBias'), feedForwardNorm.bias),
    feedForwardOutput: await loadProjection(loader, names('down'), names('downBias')),
  };
}

async function loadNorm(builder: ProgramBuilder, source: WeightSource, gainName: WeightName, biasName: WeightName, width: number): Promise<Norm> {
  if (source.shape(gainName) === undefined) throw new RangeError(`the model has no tensor '${gainName.tensor}'`);
  const gain = await vectorOf(source, gainName, width);
  const most = gain.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  const exponent = (most === 0 ? 0 : Math.floor(Math.log2(most)) + 1) - GAIN_BITS;
  const limit = 2 ** GAIN_BITS - 1;
  const elements = Int32Array.from(gain, (value) => Math.max(-limit, Math.min(limit, Math.round(value / 2 ** exponent))));
  return { gain: builder.integers(1, width, elements), exponent, bias: await vectorOf(source, biasName, width) };
}

/** Matrices one below the other, with their biases and what the bias of the norm before them adds. */
async function loadProjection(
  { builder, source, activationBits, weightBits }: Loader,
  names: readonly WeightName[],
  biases: readonly (WeightName | undefined)[],
  normBias?: Float64Array,
  { bits = weightBits, known }: { readonly bits?: ActivationBits; readonly known?: QuantizedMatrix | undefined } = {},
): Promise<Projection> {
  const shapes = names.map((name) => source.shape(name));
  const bias = new Float64Array(shapes.reduce((rows, shape) => rows + (shape?.rows ?? 0), 0));
  let first = 0;
  for (const [index, shape] of shapes.entries()) {
    const name = biases[index];
    if (name !== undefined && shape !== undefined) bias.set(await vectorOf(source, name, shape.rows), first);
    first += shape?.rows ?? 0;
  }
  const addNormBias = normBias === undefined || normBias.every((value) => value === 0)
    ? undefined
    : (row: number, elements: Float32Array): void => { bias[row] = elements.reduce((total, value, column) => total + value * normBias[column]!, bias[row]!); };
  const matrix = known === undefined || addNormBias !== undefined ? await quantizeMatrix(builder, source, names, bits, addNormBias) : known;
  const { integers, exponent } = fixedScales(matrix.scales.map((scale) => scale / ACTIVATION_LIMIT[activationBits]));
  // Weights of 16 bits times activations of 16 bits are summed in units of 256 (`wideProjection`).
  const unitBits = bits === 16 && activationBits === 16 ? 8 : 0;
  const largest = Math.log2(matrix.columns * ACTIVATION_LIMIT[activationBits] * ACTIVATION_LIMIT[bits]) - unitBits;
  const drop = Math.max(0, Math.ceil(largest) - 31);
  return {
    matrix, drop,
    scales: builder.integers(1, matrix.rows, integers),
    exponent: -(exponent + drop + unitBits + SCALE_BITS + FRACTION_BITS),
    bias: bias.some((value) => value !== 0) ? builder.integers(1, matrix.rows, Int32Array.from(bias, fixedPoint)) : undefined,
  };
}

/** A real number in fixed point, saturated. */
const fixedPoint = (value: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.round(value * ONE)));

function rowsOf(builder: ProgramBuilder, matrix: QuantizedMatrix): Rows {
  const { integers, exponent } = fixedScales(matrix.scales);
  const shift = -(exponent + FRACTION_BITS);
  if (shift < 1) throw new RangeError('an embedding has numbers above 16,000, which fixed point cannot hold');
  return { matrix, scales: builder.integers(1, matrix.rows, integers), shift: Math.min(62, shift) };
}
