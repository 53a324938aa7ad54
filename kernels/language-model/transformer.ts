import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { attentionScores, attentionValues, exponentials, greatestScores, headMaxima, quantizeHeads } from '../attention.ts';
import { embedding, learnedPosition, wideEmbedding } from '../embedding.ts';
import { activated, gated } from '../gated.ts';
import { layerNormStatistics, rootMeanSquareStatistics } from '../norm-statistics.ts';
import type { ProgramBuilder, Tensor } from '../program-builder.ts';
import { projection, wideProjection } from '../projection.ts';
import { ACTIVATION_LIMIT, FRACTION_BITS, ROW_STATISTICS, plainStatistics, quantizeFlat, quantizeNormalized, quantizeRow } from '../quantize-rows.ts';
import { rotary, splitHeads } from '../rotary.ts';
import type { LayerConstants, Norm, Projection, Rows, TransformerConstants, TransformerPlan } from './constants.ts';

/** A quantised row with what is known of it. */
interface Activations { readonly values: Tensor; readonly statistics: Tensor }

const integers = (columns: number, rows = 1): TensorShape => ({ element: 'i32', rows, columns });
const bytes = (columns: number, rows: number): TensorShape => ({ element: 'i8', rows, columns });

/** Appends a transformer's operators for one position to a program's body: from the token, i32 [1][1], to the logits, i32 [1][vocabulary] in fixed point. */
export function appendTransformer(builder: ProgramBuilder, plan: TransformerPlan, constants: TransformerConstants, token: Tensor): Tensor {
  const context = { builder, plan, constants };
  let residual = embedded(context, token);
  constants.layers.forEach((layer, index) => {
    const name = `layer.${index}`;
    residual = attention(context, `${name}.attention`, layer, residual);
    residual = feedForward(context, `${name}.feed-forward`, layer, residual);
  });
  return projected(context, 'logits', constants.output, normalized(context, 'final-norm', constants.finalNorm, residual));
}

interface Context { readonly builder: ProgramBuilder; readonly plan: TransformerPlan; readonly constants: TransformerConstants }

const parts = ({ matrix: { high, low } }: Rows): Tensor[] => (low === undefined ? [high] : [high, low]);

function embedded({ builder, plan: { architecture: { width } }, constants: { embedding: table, positions } }: Context, token: Tensor): Tensor {
  const row = builder.append('embedding', {
    kernel: table.matrix.low === undefined ? embedding : wideEmbedding,
    output: integers(width), operands: [token, ...parts(table), table.scales], parameters: { shift: table.shift },
  });
  if (positions === undefined) return row;
  return builder.append('position', { kernel: learnedPosition, output: integers(width), operands: [row, ...parts(positions), positions.scales], parameters: { shift: positions.shift } });
}

/** The rows of `bits` bits for a row of numbers. */
const planes = (bits: number): number => bits / 8;

function normalized({ builder, plan: { architecture: { family, width, normEpsilon }, activationBits } }: Context, name: string, { gain, exponent }: Norm, x: Tensor): Activations {
  // In the residual stream's squared units.
  const epsilon = Math.round(normEpsilon * 2 ** (2 * FRACTION_BITS));
  const statistics = builder.append(`${name}.statistics`, {
    kernel: family === 'llama' ? rootMeanSquareStatistics : layerNormStatistics, output: ROW_STATISTICS, operands: [x, gain],
    parameters: { epsilonHigh: Math.floor(epsilon / 2 ** 31), epsilonLow: epsilon % 2 ** 31, gainExponent: exponent },
  });
  const values = builder.append(name, { kernel: quantizeNormalized[activationBits], output: bytes(width, planes(activationBits)), operands: [x, gain, statistics] });
  return { values, statistics };
}

function quantized({ builder, plan: { activationBits } }: Context, name: string, x: Tensor): Activations {
  const { rows, columns } = x.shape;
  const statistics = builder.append(`${name}.statistics`, { kernel: plainStatistics, output: ROW_STATISTICS, operands: [x] });
  const kernel = (rows === 1 ? quantizeRow : quantizeFlat)[activationBits];
  return { values: builder.append(`${name}.quantized`, { kernel, output: bytes(rows * columns, planes(activationBits)), operands: [x, statistics] }), statistics };
}

function projected({ builder, plan: { activationBits } }: Context, name: string, { matrix, scales, exponent, drop, bias }: Projection, { values, statistics }: Activations, residual?: Tensor): Tensor {
  const output = integers(matrix.rows);
  const parameters = { drop, exponent };
  const additions = [bias, residual].filter((tensor) => tensor !== undefined);
  const kind = bias === undefined ? (residual === undefined ? 'none' : 'residual') : residual === undefined ? 'bias' : 'biasAndResidual';
  const kernels = matrix.low === undefined ? projection : wideProjection;
  const weights = matrix.low === undefined ? [matrix.high] : [matrix.high, matrix.low];
  return builder.append(name, { kernel: kernels[activationBits][kind], output, operands: [values, ...weights, scales, statistics, ...additions], parameters });
}

/** `a · 2^shift` as an i32 multiplier of 31 bits at most, with the greatest such shift up to 62. */
function multiplierOf(factor: number): { readonly multiplier: number; readonly shift: number } {
  const shift = Math.min(62, 30 - Math.floor(Math.log2(factor)));
  return { multiplier: Math.min(2 ** 31 - 1, Math.round(factor * 2 ** shift)), shift };
}

/** Self-attention and what it adds to the residual stream. */
function attention(context: Context, name: string, { attentionNorm, attentionInput, attentionOutput }: LayerConstants, residual: Tensor): Tensor {
  const { builder, plan, constants } = context;
  const { architecture: { heads, keyValueHeads, headSize, rotary: angles }, positions, attentionBits } = plan;
  const all = projected(context, `${name}.input`, attentionInput, normalized(context, `${name}.norm`, attentionNorm, residual));
  const turned = heads + keyValueHeads;
  const queriesAndKeys = constants.rotary === undefined || angles === undefined
    ? builder.append(`${name}.heads`, { kernel: splitHeads, output: integers(headSize, turned), operands: [all], parameters: { first: 0 } })
    : builder.append(`${name}.rotary`, { kernel: rotary[angles.pairs], output: integers(headSize, turned), operands: [all, constants.rotary.cosines, constants.rotary.sines] });
  const values = builder.append(`${name}.values`, { kernel: splitHeads, output: integers(headSize, keyValueHeads), operands: [all], parameters: { first: turned } });
  const maxima = builder.append(`${name}.maxima`, { kernel: headMaxima, output: integers(turned), operands: [queriesAndKeys] });
  const quantizedHeads = (part: string, first: number, count: number): Tensor =>
    builder.append(`${name}.${part}`, {
      kernel: quantizeHeads[attentionBits], output: bytes(headSize, count * planes(attentionBits)), operands: [queriesAndKeys, maxima], parameters: { first, heads: count },
    });
  const queries = quantizedHeads('queries', 0, heads);
  const keys = quantizedHeads('keys', heads, keyValueHeads);
  const group = heads / keyValueHeads;
  const scores = builder.append(`${name}.scores`, {
    kernel: attentionScores[attentionBits], output: integers(positions, heads), operands: [queries, keys, maxima],
    parameters: { heads, group, keyHeads: keyValueHeads, ...scoreScale(attentionBits, headSize) },
  });
  const greatest = builder.append(`${name}.greatest`, { kernel: greatestScores, output: integers(heads), operands: [scores] });
  const weights = builder.append(`${name}.weights`, { kernel: exponentials, output: integers(positions, heads), operands: [scores, greatest] });
  const means = builder.append(`${name}.means`, { kernel: attentionValues, output: integers(headSize, heads), operands: [weights, values], parameters: { group } });
  return projected(context, `${name}.output`, attentionOutput, quantized(context, `${name}.means`, means), residual);
}

/**
 * What `attentionScores` multiplies a dot product with, beside the product of both sides' maxima in fixed point: log2 e / √headSize over both sides' limits.
 * That factor is below 1; its leading zeros are shifted out last, so that neither the factor nor a score loses its digits.
 */
export function scoreScale(bits: TransformerPlan['attentionBits'], headSize: number): Record<'multiplier' | 'multiplierShift' | 'shift', number> {
  const unit = bits === 16 ? 256 : 1;
  const factor = (unit * Math.LOG2E) / (ACTIVATION_LIMIT[bits] ** 2 * Math.sqrt(headSize));
  // The greatest shift with which the factor is at most 1.
  const shift = Math.floor(-Math.log2(factor));
  const { multiplier, shift: multiplierShift } = multiplierOf(factor * 2 ** shift);
  return { multiplier, multiplierShift, shift };
}

/** The feed-forward network and what it adds to the residual stream. */
function feedForward(context: Context, name: string, { feedForwardNorm, feedForwardInput, feedForwardOutput }: LayerConstants, residual: Tensor): Tensor {
  const { builder, plan: { architecture: { family, hidden } }, constants: { activation } } = context;
  const inner = projected(context, `${name}.input`, feedForwardInput, normalized(context, `${name}.norm`, feedForwardNorm, residual));
  const active = builder.append(`${name}.activation`, { kernel: family === 'llama' ? gated : activated, output: integers(hidden), operands: [inner, activation] });
  return projected(context, `${name}.output`, feedForwardOutput, quantized(context, `${name}.activation`, active), residual);
}
