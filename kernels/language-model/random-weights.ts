import type { Architecture, WeightName, WeightSource } from './architecture.ts';
import { checkArchitecture, weightShape } from './dimensions.ts';

/** A 32-bit mix of its argument (the finaliser of MurmurHash3, Austin Appleby, public domain). */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function nameSeed(name: WeightName): number {
  let hash = 'layer' in name ? name.layer + 1 : 0;
  for (const character of name.tensor) hash = mix(Math.imul(hash, 31) + character.charCodeAt(0));
  return hash;
}

/**
 * Weights for any dimensions, made up as they are asked for: element (r, c) of a tensor is a function of the seed, the tensor's name, r and c. For
 * benchmarks and for tests of scale, which care about shapes and not about text.
 *
 * Matrices are uniform with variance 1 / columns, so activations keep their size from layer to layer; the two that write into the residual
 * stream are smaller by √(2 · layers); norms are 1 ± 0.1, biases ± 0.1.
 * @throws RangeError for dimensions that no program can be made of
 */
export function randomWeights(architecture: Architecture, seed = 1): WeightSource {
  checkArchitecture(architecture);
  const residual = 1 / Math.sqrt(2 * architecture.layers);
  return {
    architecture,
    shape: (name) => ('layer' in name && (name.layer < 0 || name.layer >= architecture.layers) ? undefined : weightShape(architecture, name)),
    async rows(name, from, to) {
      const shape = weightShape(architecture, name);
      if (shape === undefined || from < 0 || to > shape.rows || from > to) throw new RangeError(`${name.tensor} has no rows ${from} to ${to}`);
      const { tensor } = name;
      const isNorm = tensor.endsWith('Norm');
      const isVector = shape.rows === 1 && (isNorm || tensor.endsWith('Bias'));
      const intoResidual = tensor === 'attentionOutput' || tensor === 'down';
      const spread = isVector ? 0.1 : Math.sqrt(3 / shape.columns) * (intoResidual ? residual : 1);
      const elements = new Float32Array((to - from) * shape.columns);
      const start = mix(seed ^ nameSeed(name));
      for (let row = from, index = 0; row < to; row += 1) {
        const rowSeed = mix(start + Math.imul(row, 0x9e3779b1));
        for (let column = 0; column < shape.columns; column += 1, index += 1) {
          elements[index] = (isNorm ? 1 : 0) + (mix(rowSeed + Math.imul(column, 0x9e3779b1)) / 2 ** 31) * spread;
        }
      }
      return elements;
    },
  };
}
