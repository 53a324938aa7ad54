import type { Ranges } from './calibrate.ts';
import { ERROR_TARGET, measure, measuredResults, someSamples } from './choose-precision.ts';
import { evaluateNetwork } from './evaluate.ts';
import type { DenseLayer, Layer, Network } from './layer.ts';

/** What share of the layers that have a scale a row loses it at a time. */
const SHARE = 0.25;
/** How much of the error that there is anyway may be added to it. */
const ADDED = 1.5;

/** The same network, with a scale a row in these dense layers. */
export const withRows = (network: Network, chosen: (layer: DenseLayer) => boolean): Network =>
  ({ ...network, layers: network.layers.map((layer): Layer => (layer.kind === 'dense' && chosen(layer) ? { ...layer, activations: 'row' } : layer)) });

/**
 * Which dense layers read bytes with a scale a row instead of sixteen bits, for half the work: all of those whose input has sixteen bits at first; while the outputs are further from the float network's
 * than aimed at (or than they were before, by half), the layers at whose outputs the error grows most are left out.
 */
export function chooseRows(network: Network, ranges: Ranges, precisions: ReadonlyMap<string, 8 | 16>, samples: Float32Array): ReadonlySet<string> {
  const open = new Set(network.layers.flatMap((layer) => (layer.kind === 'dense' && precisions.get(layer.x) === 16 ? [layer.output] : [])));
  const chosen = someSamples(network, samples);
  const floats = chosen.map((sample) => evaluateNetwork(network, sample));
  const { results } = measuredResults(network);
  const worst = (errors: ReadonlyMap<string, number>): number => Math.max(...results.map((name) => errors.get(name) ?? 0));
  const aim = Math.max(ERROR_TARGET, ADDED * worst(measure(network, ranges, precisions, chosen, floats)));
  while (open.size > 0) {
    const errors = measure(withRows(network, ({ output }) => open.has(output)), ranges, precisions, chosen, floats);
    if (worst(errors) <= aim) break;
    const growth = ({ x, output }: DenseLayer): number => (errors.get(output) ?? 0) - (errors.get(x) ?? 0);
    const ranked = network.layers.filter((layer): layer is DenseLayer => layer.kind === 'dense' && open.has(layer.output)).sort((a, b) => growth(b) - growth(a));
    for (const { output } of ranked.slice(0, Math.max(1, Math.ceil(ranked.length * SHARE)))) open.delete(output);
  }
  return open;
}
