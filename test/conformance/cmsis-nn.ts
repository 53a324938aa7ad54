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
    const { network, input, expected } = run(given);
    const { model } = lowerQuantizedNetwork(network, { classify: false, metadata: {} });
    const prepared = await createWasmExecutor().prepare(model);
    const own = resultIntegers(model, (await prepared.run(packIntegers(model.program.input, input))).output);
    await prepared.dispose();
    if (own.length !== expected.length) return { kind: 'failed', reason: `${own.length} outputs, the golden has ${expected.length}` };
    const wrong = own.filter((value, index) => value !== expected[index]).length;
    if (wrong > 0 && isOverlaid(given)) return { kind: 'not applicable', reason: OVERLAID };
    return wrong === 0 ? { kind: 'passed' } : { kind: 'failed', reason: `${wrong} of ${own.length} outputs differ` };
  } catch (error) {
    return { kind: 'failed', reason: (error as Error).message };
  }
}
