import { reachable } from './fuse-functions.ts';
import type { Layer, Network, ReductionLayer } from './layer.ts';
import { dimsOf } from './layer.ts';

/**
 * The same network, with layer normalisations that are written out (mean, difference, square, mean, root, quotient: what exporters wrote before operator set 17) as one layer each.
 * Root means of squares without the difference are found as well.
 */
export function fuseNormalizations(network: Network): Network {
  const writers = new Map(network.layers.map((layer) => [layer.output, layer]));
  const layers = network.layers.map((layer) => normalization(network, writers, layer) ?? layer);
  return { ...network, layers: reachable(layers, network.outputs) };
}

/** The quotient `d / root(mean(d²))`, or the product with its reciprocal. */
function normalization(network: Network, writers: ReadonlyMap<string, Layer>, layer: Layer): Layer | null {
  const quotient = layer.kind === 'operation' && layer.operation === 'divide';
  if (!quotient && layer.kind !== 'multiply') return null;
  if (layer.kind === 'multiply' && layer.range !== null) return null;
  const sides = layer.kind === 'multiply' ? [[layer.x, layer.b], [layer.b, layer.x]] : [[layer.x, layer.b]];
  for (const [distance = '', root = ''] of sides) {
    const square = writers.get(root);
    const mean = square?.kind === 'function' ? writers.get(square.x) : undefined;
    if (square?.kind !== 'function' || mean === undefined || !isRowMean(network, mean)) continue;
    const epsilon = epsilonOf(square.apply, quotient);
    if (epsilon === null || !isSquare(writers.get(mean.x), distance)) continue;
    const centred = centre(network, writers, distance);
    return { kind: 'normalization', name: layer.name, x: centred ?? distance, output: layer.output, centred: centred !== null, sum: false, epsilon };
  }
  return null;
}

const isRowMean = (network: Network, layer: Layer): layer is ReductionLayer =>
  layer.kind === 'reduction' && layer.operation === 'mean' && layer.axes.length === 1 && layer.axes[0] === dimsOf(network, layer.x).length - 1;

/** Whether a layer squares this value. */
function isSquare(layer: Layer | undefined, value: string): boolean {
  if (layer?.kind === 'multiply') return layer.x === value && layer.b === value && layer.range === null;
  return layer?.kind === 'function' && layer.x === value && [-3, -0.5, 0, 1, 2].every((x) => Math.abs(layer.apply(x) - x * x) < 1e-6);
}

/** The epsilon of `√(v + epsilon)`, or of its reciprocal; null for another function. */
function epsilonOf(apply: (x: number) => number, quotient: boolean): number | null {
  const squared = (x: number): number => (quotient ? apply(x) : 1 / apply(x)) ** 2;
  const epsilon = squared(0);
  if (!(epsilon >= 0 && epsilon < 1e-2)) return null;
  return [0.25, 1, 9, 100].every((x) => Math.abs(squared(x) - x - epsilon) < 1e-4 * x) ? epsilon : null;
}

/** What `distance` is the difference of from its rows' means; null if it is none. */
function centre(network: Network, writers: ReadonlyMap<string, Layer>, distance: string): string | null {
  const difference = writers.get(distance);
  if (difference?.kind !== 'operation' || difference.operation !== 'subtract') return null;
  const mean = writers.get(difference.b);
  return mean !== undefined && isRowMean(network, mean) && mean.x === difference.x ? difference.x : null;
}
