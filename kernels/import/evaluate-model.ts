import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { decodeOutput, quantizeInput } from './model-interface.ts';
import { evaluateNetwork, outputsOf } from './network/evaluate.ts';
import type { Network } from './network/layer.ts';

/** Inputs as the model takes them, with the class that each belongs to where that is known. */
export interface Dataset { readonly samples: Iterable<{ readonly input: Float32Array; readonly label?: number }> }

export interface Evaluation {
  readonly samples: number;
  /** Share of the samples whose greatest output is the float network's. */
  readonly agreement: number;
  /** Share of the samples with labels whose greatest output is the label's; null without labels. */
  readonly accuracy: number | null;
  readonly floatAccuracy: number | null;
  /** Greatest and mean magnitude of the difference between outputs; null where the program gives classes only. */
  readonly maxError: number | null;
  readonly meanError: number | null;
}

/**
 * Compares an integer program with the float network on data: `float` gives the float outputs for an input (`floatOutputs(network)`, or a peer such as onnxruntime).
 *
 * @throws RangeError when an input does not fit the model; TypeError for a model that gives text.
 */
export async function evaluateModel(prepared: PreparedModel, float: (input: Float32Array) => Float32Array | Promise<Float32Array>, { samples }: Dataset): Promise<Evaluation> {
  let [count, agreed, labelled, right, floatRight, maximum, total, elements] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const { input, label } of samples) {
    const { output } = await prepared.run(quantizeInput(prepared.model, input));
    const decoded = decodeOutput(prepared.model, output);
    if (decoded.kind === 'text') throw new TypeError(`${prepared.model.program.name} gives text, which has no float outputs to compare with`);
    const expected = await float(input);
    const [own, wanted] = [decoded.kind === 'class' ? decoded.class : greatestOf(decoded.values), greatestOf(expected)];
    count += 1;
    if (own === wanted) agreed += 1;
    if (label !== undefined) {
      labelled += 1;
      if (own === label) right += 1;
      if (wanted === label) floatRight += 1;
    }
    if (decoded.kind !== 'tensor') continue;
    decoded.values.forEach((value, index) => {
      const error = Math.abs(value - (expected[index] ?? NaN));
      maximum = Math.max(maximum, error);
      total += error;
    });
    elements += decoded.values.length;
  }
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  return {
    samples: count,
    agreement: share(agreed, count) ?? 0,
    accuracy: share(right, labelled),
    floatAccuracy: share(floatRight, labelled),
    maxError: elements === 0 ? null : maximum,
    meanError: share(total, elements),
  };
}

/** The outputs of a float network, as `evaluateModel` wants them. */
export const floatOutputs = (network: Network) => (input: Float32Array): Float32Array => outputsOf(network, evaluateNetwork(network, input));

/** Index of the greatest number, the first of equals. */
function greatestOf(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  return best;
}
