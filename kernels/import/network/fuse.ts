import { elementCount } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import { fuseFunctions, readerCounts } from './fuse-functions.ts';
import { fuseNormalizations } from './fuse-normalization.ts';
import { dimsOf } from './layer.ts';
import type { ConvolutionLayer, DenseLayer, Layer, Network } from './layer.ts';

type Weighted = ConvolutionLayer | DenseLayer;

/**
 * The same network with fewer layers: normalisations and functions that are written out become one layer each, sums and products with constants that follow a convolution or a
 * dense layer go into its weights and bias, and clamps go into the layer before them. A layer takes over what follows it only if nothing else reads its result.
 */
export const fuseLayers = (network: Network): Network => fuseWeights(fuseNormalizations(fuseFunctions(network)));

function fuseWeights(network: Network): Network {
  const readers = readerCounts(network);
  const layers: Layer[] = [];
  const writers = new Map<string, number>();
  for (const layer of network.layers) {
    const index = writers.get(layer.x);
    const before = index === undefined || readers.get(layer.x) !== 1 ? undefined : layers[index];
    const fused = before === undefined ? null : fuse(network, before, layer);
    if (fused === null || index === undefined) {
      writers.set(layer.output, layers.push(layer) - 1);
    } else {
      layers[index] = { ...fused, output: layer.output };
      writers.set(layer.output, index);
    }
  }
  return { ...network, layers };
}

function fuse(network: Network, before: Layer, layer: Layer): Layer | null {
  const open = (before.kind === 'convolution' || before.kind === 'dense' || before.kind === 'add' || before.kind === 'multiply') && before.range === null;
  if (layer.kind === 'clamp') return open ? { ...before, range: layer.range } : null;
  if ((layer.kind !== 'add' && layer.kind !== 'multiply') || !open || (before.kind !== 'convolution' && before.kind !== 'dense')) return null;
  const constant = network.constants.get(layer.b);
  const values = constant === undefined ? null : perChannel(constant, dimsOf(network, layer.x), before.kind === 'convolution' ? 1 : -1);
  if (values === null) return null;
  return { ...(layer.kind === 'add' ? addBias(before, values) : scaleOutputs(before, values)), range: layer.range };
}

/** A constant as one number a channel, where it broadcasts along `axis` only; null otherwise. */
function perChannel({ dims, data }: FloatTensor, target: readonly number[], axis: 1 | -1): Float32Array | null {
  const channelAxis = axis === 1 ? 1 : target.length - 1;
  const channels = target[channelAxis] ?? 1;
  if (dims.length > target.length) return null;
  const fromEnd = target.length - channelAxis;
  const along = dims[dims.length - fromEnd] ?? 1;
  if (elementCount(dims) !== along || (along !== 1 && along !== channels)) return null;
  return Float32Array.from({ length: channels }, (_, channel) => data[along === 1 ? 0 : channel] ?? 0);
}

function addBias(layer: Weighted, values: Float32Array): Weighted {
  return { ...layer, bias: values.map((value, channel) => value + (layer.bias?.[channel] ?? 0)) };
}

function scaleOutputs(layer: Weighted, values: Float32Array): Weighted {
  const { dims, data } = layer.weights;
  const perOutput = data.length / values.length;
  const scaled = Float32Array.from(data, (weight, index) => weight * (values[Math.floor(index / perOutput)] ?? 0));
  const bias = layer.bias?.map((value, channel) => value * (values[channel] ?? 0)) ?? null;
  return { ...layer, weights: { dims, data: scaled }, bias };
}

