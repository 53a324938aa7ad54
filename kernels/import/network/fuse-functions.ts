import { elementCount } from './float-tensor.ts';
import { dimsOf, layerInputs } from './layer.ts';
import type { FunctionLayer, Layer, Network } from './layer.ts';

/** A value as a function of another one, element by element. */
interface Composed { readonly root: string; readonly apply: (x: number) => number; /** Layers on the way. */ readonly depth: number }

/**
 * The same network, with what several layers compute from one value, element by element, as one function of that value: a decomposed GELU, `x · sigmoid(x)`, a hard swish and the
 * like become one table. A chain that is a sum or a product with a single constant only is left alone, since it may go into the layer before it.
 */
export function fuseFunctions(network: Network): Network {
  const readers = readerCounts(network);
  const composed = new Map<string, Composed>();
  const of = (value: string): Composed => composed.get(value) ?? { root: value, apply: (x) => x, depth: 0 };
  const layers = network.layers.map((layer): Layer => {
    const found = compose(network, layer, of);
    if (found === null || network.integers?.has(found.root) === true || network.integers?.has(layer.output) === true) return layer;
    composed.set(layer.output, found);
    const joins = (layer.kind === 'add' || layer.kind === 'multiply' || layer.kind === 'operation') && !network.constants.has(layer.x) && !network.constants.has(layer.b);
    const chained = layer.kind === 'function' && found.depth > 1 && readers.get(layer.x) === 1;
    if (!joins && !chained) return layer;
    return { kind: 'function', name: layer.name, x: found.root, output: layer.output, apply: found.apply } satisfies FunctionLayer;
  });
  return { ...network, layers: reachable(layers, network.outputs) };
}

function compose(network: Network, layer: Layer, of: (value: string) => Composed): Composed | null {
  const single = (value: string): number | null => {
    const constant = network.constants.get(value);
    return constant !== undefined && elementCount(constant.dims) === 1 ? (constant.data[0] ?? 0) : null;
  };
  if (layer.kind === 'function') {
    const { root, apply, depth } = of(layer.x);
    return { root, apply: (x) => layer.apply(apply(x)), depth: depth + 1 };
  }
  if (layer.kind === 'clamp') {
    const { root, apply, depth } = of(layer.x);
    return { root, apply: (x) => Math.min(Math.max(apply(x), layer.range.low), layer.range.high), depth: depth + 1 };
  }
  const combine = combination(layer);
  if (combine === null || (layer.kind !== 'add' && layer.kind !== 'multiply' && layer.kind !== 'operation')) return null;
  const [a, b] = [single(layer.x), single(layer.b)];
  const [left, right] = [of(layer.x), of(layer.b)];
  const root = a === null ? left.root : right.root;
  const wanted = dimsOf(network, layer.output).join();
  if (network.constants.has(root) || dimsOf(network, root).join() !== wanted) return null;
  if (a === null && b === null && (left.root !== right.root || network.constants.has(layer.x) || network.constants.has(layer.b))) return null;
  const [first, second] = [a === null ? left.apply : (): number => a, b === null ? right.apply : (): number => b];
  return { root, apply: (x) => combine(first(x), second(x)), depth: Math.max(left.depth, right.depth) + 1 };
}

function combination(layer: Layer): ((a: number, b: number) => number) | null {
  const cut = (value: number): number => (layer.kind === 'add' || layer.kind === 'multiply') && layer.range !== null ? Math.min(Math.max(value, layer.range.low), layer.range.high) : value;
  if (layer.kind === 'add') return (a, b) => cut(a + b);
  if (layer.kind === 'multiply') return (a, b) => cut(a * b);
  if (layer.kind !== 'operation') return null;
  switch (layer.operation) {
    case 'subtract': return (a, b) => a - b;
    case 'divide': return (a, b) => a / b;
    case 'minimum': return Math.min;
    case 'maximum': return Math.max;
    default: return null;
  }
}

/** How often each value is read; outputs count as read. */
export function readerCounts({ layers, outputs }: Network): Map<string, number> {
  const readers = new Map<string, number>(outputs.map((name) => [name, 1]));
  for (const layer of layers) for (const input of layerInputs(layer)) readers.set(input, (readers.get(input) ?? 0) + 1);
  return readers;
}

/** The layers that the outputs depend on. */
export function reachable(layers: readonly Layer[], outputs: readonly string[]): Layer[] {
  const wanted = new Set(outputs);
  return [...layers].reverse().filter((layer) => {
    if (!wanted.has(layer.output)) return false;
    for (const input of layerInputs(layer)) wanted.add(input);
    return true;
  }).reverse();
}
