import type { Parameters } from './parameters.ts';

/** Settings of AdamW. */
export interface OptimizerSettings {
  readonly decayOfMean: number;
  readonly decayOfSquares: number;
  readonly epsilon: number;
  /** Of matrices only; norms are left alone. */
  readonly weightDecay: number;
  /** Gradients longer than this are shortened to it. */
  readonly longestGradient: number;
}

export const DEFAULT_OPTIMIZER: OptimizerSettings = { decayOfMean: 0.9, decayOfSquares: 0.99, epsilon: 1e-8, weightDecay: 0.05, longestGradient: 1 };

/** AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2), with gradients clipped by their norm. */
export class Optimizer {
  readonly #layout: Parameters;
  readonly #settings: OptimizerSettings;
  readonly #means: Float32Array;
  readonly #squares: Float32Array;
  #steps = 0;

  constructor(layout: Parameters, settings: OptimizerSettings = DEFAULT_OPTIMIZER) {
    this.#layout = layout;
    this.#settings = settings;
    this.#means = new Float32Array(layout.size);
    this.#squares = new Float32Array(layout.size);
  }

  /** One step against the gradients. Gives their norm before clipping. */
  step(values: Float32Array, gradients: Float32Array, rate: number): number {
    const { decayOfMean, decayOfSquares, epsilon, weightDecay, longestGradient } = this.#settings;
    this.#steps += 1;
    let squares = 0;
    for (let k = 0; k < gradients.length; k += 1) squares += gradients[k]! * gradients[k]!;
    const norm = Math.sqrt(squares);
    const clip = norm > longestGradient ? longestGradient / norm : 1;
    const meanScale = 1 / (1 - decayOfMean ** this.#steps);
    const squareScale = 1 / (1 - decayOfSquares ** this.#steps);
    for (const { rows, columns, start } of this.#layout.all) {
      const decay = rows === 1 ? 1 : 1 - rate * weightDecay;
      for (let k = start; k < start + rows * columns; k += 1) {
        const gradient = gradients[k]! * clip;
        const mean = decayOfMean * this.#means[k]! + (1 - decayOfMean) * gradient;
        const square = decayOfSquares * this.#squares[k]! + (1 - decayOfSquares) * gradient * gradient;
        this.#means[k] = mean;
        this.#squares[k] = square;
        values[k] = values[k]! * decay - rate * mean * meanScale / (Math.sqrt(square * squareScale) + epsilon);
      }
    }
    return norm;
  }
}
