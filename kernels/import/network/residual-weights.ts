import { dimsOf } from './layer.ts';
import type { ConvolutionLayer, DenseLayer, Layer, Network } from './layer.ts';
import { quantizeWeights } from './quantization.ts';

const depthwise = (layer: ConvolutionLayer | DenseLayer): boolean => layer.kind === 'convolution' && layer.groups > 1;

/**
 * The same network with some convolutions and dense layers as sums of two: one whose weights lie on the grid that eight bits give them, and one with what they are off it, which has a grid of
 * its own. So those have weights of some sixteen bits for twice the work. Depthwise ones, which are chosen where nothing else is said, are the cheapest, and have few weights a
 * channel, whose errors do not average out.
 */
export function withResidualWeights(network: Network, chosen: (layer: ConvolutionLayer | DenseLayer) => boolean = depthwise): Network {
  const dims = new Map(network.dims);
  const layers = network.layers.flatMap((layer): Layer[] => {
    if ((layer.kind !== 'convolution' && layer.kind !== 'dense') || !chosen(layer)) return [layer];
    const { values, scales } = quantizeWeights(layer.weights);
    const perChannel = values.length / scales.length;
    const coarse = Float32Array.from(values, (value, index) => value * (scales[Math.floor(index / perChannel)] ?? 1));
    const rest = Float32Array.from(layer.weights.data, (weight, index) => weight - (coarse[index] ?? 0));
    if (rest.every((weight) => weight === 0)) return [layer];
    const part = (what: string, data: Float32Array, bias: Float32Array | null): ConvolutionLayer | DenseLayer => {
      const output = `${layer.output}.${what}`;
      dims.set(output, dimsOf(network, layer.output));
      return { ...layer, name: `${layer.name}.${what}`, output, weights: { dims: layer.weights.dims, data }, bias, range: null };
    };
    const [main, residual] = [part('coarse', coarse, layer.bias), part('residual', rest, null)];
    return [main, residual, { kind: 'add', name: layer.name, x: main.output, b: residual.output, output: layer.output, range: layer.range }];
  });
  return { ...network, layers, dims };
}
