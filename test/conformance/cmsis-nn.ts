import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { lowerQuantizedNetwork } from '../../kernels/import/quantized/lower.ts';
import { packIntegers, resultIntegers } from '../models/tflite-comparison.ts';
import type { CmsisCase } from './cmsis-cases.ts';
import {
  addRun, convolutionRun, depthwiseRun, extremeRun, fullyConnectedRun, matrixProductRun, multiplyRun, padRun, poolingRun, transposedConvolutionRun,
} from './cmsis-networks.ts';
import type { CmsisRun } from './cmsis-networks.ts';
import { lstmRun, svdfRun } from './cmsis-recurrent.ts';
import { softmaxRun, transposeRun } from './cmsis-rows.ts';
import { wholeNetworkRun } from './cmsis-whole-network.ts';

/** Two generations of a case lie in one folder there, under names that clash: multipliers of both, but shifts, inputs and configuration of one or the other. */
const OVERLAID = 'the data mixes two versions of the case, so that its numbers do not belong together';

/** True for cases that have arrays of both generations. */
const isOverlaid = (given: CmsisCase): boolean => (given.array('output_mult') !== null && given.array('output_multiplier') !== null) || given.array('input_to_cell_w') !== null;

/** What came of a case. */
export type CmsisOutcome =
  | { readonly kind: 'passed' }
  /** Passed with offsets and bounds of the older generation: see `olderConfigurations`. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not applicable'; readonly reason: string };

/** Kinds of operators, by the names of their cases; the first that fits counts. */
const KINDS: readonly (readonly [name: string, pattern: RegExp, run: (given: CmsisCase) => CmsisRun])[] = [
  ['long short-term memory', /^lstm/, lstmRun],
  ['filters over time', /^svdf/, svdfRun],
  ['transpose', /^transpose_(?!conv)/, transposeRun],
  ['whole network', /^ds_cnn/, wholeNetworkRun],
  ['softmax', /^softmax/, softmaxRun],
  ['transposed convolution', /^(transpose_conv|reverse_transpose_conv)/, transposedConvolutionRun],
  ['matrix product', /^batch_matmul/, matrixProductRun],
  ['fully connected', /^(fully_connected|fc_)/, fullyConnectedRun],
  ['average pooling', /^avgpooling/, poolingRun('average')],
  ['maximum pooling', /^maxpool/, poolingRun('maximum')],
  ['add', /^add/, addRun],
  ['multiply', /^mul/, multiplyRun],
  ['minimum', /^minimum/, extremeRun('minimum')],
  ['maximum', /^maximum/, extremeRun('maximum')],
  ['pad', /^pad/, padRun],
  ['depthwise convolution', /^(depthwise|dw_|in_ch_one)/, depthwiseRun],
  ['convolution', /./, convolutionRun],
];

/** The kind of operator that a case is of. */
export const kindOf = ({ name }: CmsisCase): string => KINDS.find(([, pattern]) => pattern.test(name))?.[0] ?? '';

/** Runs a case through the import's kernels. */
export async function runCmsisCase(given: CmsisCase): Promise<CmsisOutcome> {
  const found = KINDS.find(([, pattern]) => pattern.test(given.name));
  if (found === undefined) return { kind: 'not applicable', reason: 'an unknown operator' };
  const [, , run] = found;
  try {
    const [wrong, total] = await differences(run(given));
    if (wrong === 0) return { kind: 'passed' };
    if (!isOverlaid(given)) return { kind: 'failed', reason: `${wrong} of ${total} outputs differ` };
    for (const older of olderConfigurations(given)) if ((await differences(run(older)))[0] === 0) return { kind: 'recovered' };
    return { kind: 'not applicable', reason: OVERLAID };
  } catch (error) {
    return { kind: 'failed', reason: (error as Error).message };
  }
}

/** How many outputs differ from the golden, of how many. */
async function differences({ network, input, expected }: CmsisRun): Promise<readonly [wrong: number, total: number]> {
  const { model } = lowerQuantizedNetwork(network, { classify: false, metadata: {} });
  const prepared = await createWasmExecutor().prepare(model);
  const own = resultIntegers(model, (await prepared.run(packIntegers(model.program.input, input))).output);
  await prepared.dispose();
  if (own.length !== expected.length) throw new Error(`${own.length} outputs, the golden has ${expected.length}`);
  return [own.filter((value, index) => value !== expected[index]).length, own.length];
}

/**
 * An overlaid convolution's older generation has its arrays and shifts, but the newer one's offsets, bounds and number of images: its output offset is 0, its input offset 0 or 128, and
 * its bounds are those of bytes or the golden's extremes. None where all of the golden is one number, which its own bounds would force.
 */
function olderConfigurations(given: CmsisCase): readonly CmsisCase[] {
  const golden = given.array('output_ref');
  if (golden === null || !given.has('OUT_CH') || !given.has('OUTPUT_H')) return [];
  const [least, greatest] = [Math.min(...golden), Math.max(...golden)];
  const images = golden.length / (given.number('OUT_CH') * given.number('OUTPUT_H') * given.number('OUTPUT_W'));
  const pixels = given.number('INPUT_H') * given.number('INPUT_W') * given.number('IN_CH');
  if (least === greatest || !Number.isInteger(images) || images * pixels > given.required('input').length) return [];
  return [[-128, 127], [least, greatest]].flatMap(([low = 0, high = 0]) =>
    [0, 128].map((offset) => given.part('', '', { INPUT_OFFSET: offset, OUTPUT_OFFSET: 0, OUT_ACTIVATION_MIN: low, OUT_ACTIVATION_MAX: high, INPUT_BATCHES: images })));
}
