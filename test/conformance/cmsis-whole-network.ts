import type { QuantizedNetwork, QuantizedOperation, QuantizedValue } from '../../kernels/import/quantized/network.ts';
import type { CmsisCase } from './cmsis-cases.ts';
import { convolutionRun, depthwiseRun, fullyConnectedRun, poolingRun, size } from './cmsis-networks.ts';
import type { CmsisRun } from './cmsis-networks.ts';
import { softmaxRun } from './cmsis-rows.ts';

/** Kinds of layers by the names of their numbers. */
const LAYERS: readonly (readonly [kind: string, run: (given: CmsisCase) => CmsisRun])[] = [
  ['AVERAGE_POOL_2D', poolingRun('average')], ['DEPTHWISE_CONV_2D', depthwiseRun], ['CONV_2D', convolutionRun], ['FULLY_CONNECTED', fullyConnectedRun], ['SOFTMAX', softmaxRun],
];

/** A layer as a case of its own. The numbers of fully connected layers are mixed up there; their arrays' lengths say what they are. */
function layerOf(given: CmsisCase, kind: string, number: number): CmsisCase {
  const [numbers, arrays] = [`${kind}_${number}_`, `layer_${number}_${kind.toLowerCase()}_`];
  if (kind !== 'FULLY_CONNECTED') return given.part(numbers, arrays);
  const outputs = given.required(`${arrays}bias`).length;
  return given.part(numbers, arrays, { OUT_CH: outputs, ACCUMULATION_DEPTH: given.required(`${arrays}weights`).length / outputs });
}

/** A network of layers one after another, by their numbers: each layer's own network, with the layer before it as its input. */
export function wholeNetworkRun(given: CmsisCase): CmsisRun {
  const numbered = LAYERS.flatMap(([kind, run]) => {
    const found = new Set(given.keys.flatMap((key) => new RegExp(`^${kind}_(\\d+)_`).exec(key)?.[1] ?? []));
    return [...found].map((number) => ({ number: Number(number), kind, run }));
  }).sort((a, b) => a.number - b.number);
  const values = new Map<string, QuantizedValue>();
  const operations: QuantizedOperation[] = [];
  let [last, border] = ['', null as QuantizedNetwork | null];
  for (const { number, kind, run } of numbered) {
    const { network } = run(layerOf(given, kind, number));
    const named = (name: string): string => (name === 'x' && last !== '' ? last : `${name}${number}`);
    for (const [name, value] of network.values) if (named(name) !== last) values.set(named(name), value);
    for (const operation of network.operations) {
      // A layer's input may have other dimensions than the output before it.
      const dims = network.values.get('x')?.dims ?? [];
      let x = named('x');
      if (last !== '' && values.get(last)?.dims.join() !== dims.join()) {
        x = `reshaped${number}`;
        if (size(values.get(last)?.dims ?? []) !== size(dims)) throw new Error(`layer ${number} has another number of inputs than the layer before has outputs`);
        values.set(x, { dims, type: 'int8', quantization: null, data: null });
        operations.push({ kind: 'reshape', name: x, x: last, output: x });
      }
      operations.push({ ...operation, name: `layer ${number}`, output: named('y'), x, ...('weights' in operation ? { weights: named(operation.weights) } : {}) } as QuantizedOperation);
    }
    border ??= { ...network, inputs: network.inputs.map((input) => ({ ...input, value: named('x') })) };
    last = named('y');
  }
  if (border === null) throw new Error('the case has no layers');
  const outputs = border.outputs.map((output) => ({ ...output, value: last }));
  return { network: { ...border, outputs, values, operations }, input: given.required('input'), expected: given.required('output_ref') };
}
