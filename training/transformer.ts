import type { Architecture } from '../kernels/language-model/architecture.ts';
import { TILE_COLUMNS, createMultiply } from './float-matrix.ts';
import type { Matrix, Multiply } from './float-matrix.ts';
import { attend, attendBack } from './attention.ts';
import { addTo, gatedUnit, gatedUnitBack, normalize, normalizeBack, rotate, rotations, transpose } from './layers.ts';
import type { Rows } from './layers.ts';
import { layOutParameters } from './parameters.ts';
import type { LayerParameters, Parameter, Parameters } from './parameters.ts';

/** What a layer computed, which the way back needs: offsets. */
interface LayerState {
  readonly input: number;
  readonly normalized: number;
  readonly factors: number;
  readonly query: number;
  readonly key: number;
  readonly value: number;
  readonly probabilities: number;
  readonly mixed: number;
  readonly middle: number;
  readonly middleNormalized: number;
  readonly middleFactors: number;
  readonly gate: number;
  readonly up: number;
  readonly unit: number;
}

/** A matrix at an offset, and a transposed one. */
const rowsOf = (offset: number, stride: number): Matrix => ({ offset, rowStride: stride });
const columnsOf = (offset: number, stride: number): Matrix => ({ offset, rowStride: 1, columnStride: stride });

/**
 * A Llama-family transformer of 32-bit floats that can be trained: RMSNorm, rotary positions of neighbouring pairs, grouped-query attention, SwiGLU,
 * the embedding as output, no biases. Takes one text at a time, of a fixed number of positions that is a multiple of 8.
 */
export class Transformer {
  readonly architecture: Architecture;
  readonly layout: Parameters;
  /** All parameters, and the sum of their gradients since they were last cleared. */
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  readonly #positions: number;
  readonly #heap: Float32Array;
  readonly #multiply: Multiply;
  readonly #parameters: number;
  readonly #gradients: number;
  readonly #layers: readonly LayerState[];
  readonly #scratch: Readonly<Record<'final' | 'finalNormalized' | 'finalFactors' | 'logits' | 'transposed' | 'a' | 'b' | 'hidden' | 'query' | 'key' | 'value' | 'attention', number>>;
  readonly #rotations: Float32Array;

  constructor(architecture: Architecture, positions: number) {
    if (positions % TILE_COLUMNS !== 0 || positions < 1) throw new RangeError(`texts have a multiple of ${TILE_COLUMNS} positions, not ${positions}`);
    const { vocabulary, width, hidden, layers, heads, keyValueHeads, headSize, rotary } = architecture;
    this.architecture = architecture;
    this.layout = layOutParameters(architecture);
    this.#positions = positions;
    this.#rotations = rotations(positions, headSize, rotary?.base ?? 10_000);
    let size = 0;
    const take = (floats: number): number => {
      const offset = size;
      size += Math.ceil(floats / TILE_COLUMNS) * TILE_COLUMNS;
      return offset;
    };
    const rows = (columns: number): number => take(positions * columns);
    this.#parameters = take(this.layout.size);
    this.#gradients = take(this.layout.size);
    this.#layers = Array.from({ length: layers }, (): LayerState => ({
      input: rows(width), normalized: rows(width), factors: rows(1),
      query: rows(heads * headSize), key: rows(keyValueHeads * headSize), value: rows(keyValueHeads * headSize),
      probabilities: take(heads * positions * positions), mixed: rows(heads * headSize),
      middle: rows(width), middleNormalized: rows(width), middleFactors: rows(1),
      gate: rows(hidden), up: rows(hidden), unit: rows(hidden),
    }));
    this.#scratch = {
      final: rows(width), finalNormalized: rows(width), finalFactors: rows(1), logits: rows(vocabulary),
      transposed: take(Math.max(vocabulary, hidden, heads * headSize) * Math.max(width, heads * headSize)),
      a: rows(width), b: rows(width), hidden: rows(hidden),
      query: rows(heads * headSize), key: rows(keyValueHeads * headSize), value: rows(keyValueHeads * headSize),
      attention: take(positions * (positions + headSize)),
    };
    const memory = new WebAssembly.Memory({ initial: Math.ceil(size * 4 / 65_536) });
    this.#heap = new Float32Array(memory.buffer);
    this.#multiply = createMultiply(memory);
    this.values = this.#heap.subarray(this.#parameters, this.#parameters + this.layout.size);
    this.gradients = this.#heap.subarray(this.#gradients, this.#gradients + this.layout.size);
  }

  /**
   * The mean of −ln p(target) over the positions whose target is not negative, adding its gradients times `weight` unless that is 0.
   * @param inputs a token a position. @param targets the token that follows, or −1 where none is asked for
   */
  loss(inputs: ArrayLike<number>, targets: ArrayLike<number>, weight: number): number {
    this.#forward(inputs);
    const loss = this.#crossEntropy(targets, weight);
    if (weight !== 0) this.#backward(inputs);
    return loss;
  }

  /** The logits after each token, [position][vocabulary]. */
  allLogits(inputs: ArrayLike<number>): Float32Array {
    this.#forward(inputs);
    return this.#heap.slice(this.#scratch.logits, this.#scratch.logits + this.#positions * this.architecture.vocabulary);
  }

  /** The logits after the first `count` tokens. */
  logits(inputs: ArrayLike<number>, count: number): Float32Array {
    const { vocabulary } = this.architecture;
    return this.allLogits(inputs).slice((count - 1) * vocabulary, count * vocabulary);
  }

  #rows(width: number): Rows {
    return { heap: this.#heap, rows: this.#positions, width };
  }

  /** `y = x · weightᵀ`, or `y +=`. */
  #linear(x: number, { rows, columns, start }: Parameter, y: number, accumulate = false): void {
    const { transposed } = this.#scratch;
    transpose(this.#heap, rows, columns, this.#parameters + start, columns, transposed);
    this.#multiply({ rows: this.#positions, columns: rows, inner: columns }, rowsOf(x, columns), rowsOf(transposed, rows), rowsOf(y, rows), accumulate);
  }

  /** The gradients of `linear`: adds the weight's, and gives that of `x`, or adds it. */
  #linearBack(x: number, { rows, columns, start }: Parameter, dy: number, dx: number, accumulate = false): void {
    const positions = this.#positions;
    this.#multiply({ rows, columns, inner: positions }, columnsOf(dy, rows), rowsOf(x, columns), rowsOf(this.#gradients + start, columns), true);
    this.#multiply({ rows: positions, columns, inner: rows }, rowsOf(dy, rows), rowsOf(this.#parameters + start, columns), rowsOf(dx, columns), accumulate);
  }

  #forward(inputs: ArrayLike<number>): void {
    const heap = this.#heap;
    const { width, hidden, headSize, normEpsilon } = this.architecture;
    const first = this.#layers[0]?.input ?? this.#scratch.final;
    for (let position = 0; position < this.#positions; position += 1) {
      const row = this.#parameters + this.layout.embedding.start + inputs[position]! * width;
      heap.copyWithin(first + position * width, row, row + width);
    }
    this.#layers.forEach((state, index) => {
      const weights = this.layout.layers[index] as LayerParameters;
      normalize(this.#rows(width), state.input, this.#parameters + weights.attentionNorm.start, state.normalized, state.factors, normEpsilon);
      this.#linear(state.normalized, weights.query, state.query);
      this.#linear(state.normalized, weights.key, state.key);
      this.#linear(state.normalized, weights.value, state.value);
      rotate(this.#rows(weights.query.rows), state.query, this.#rotations, headSize, 1);
      rotate(this.#rows(weights.key.rows), state.key, this.#rotations, headSize, 1);
      attend({ heap, multiply: this.#multiply, positions: this.#positions, architecture: this.architecture, scratch: this.#scratch.attention }, state, state.mixed);
      heap.copyWithin(state.middle, state.input, state.input + this.#positions * width);
      this.#linear(state.mixed, weights.attentionOutput, state.middle, true);
      normalize(this.#rows(width), state.middle, this.#parameters + weights.feedForwardNorm.start, state.middleNormalized, state.middleFactors, normEpsilon);
      this.#linear(state.middleNormalized, weights.gate, state.gate);
      this.#linear(state.middleNormalized, weights.up, state.up);
      gatedUnit(heap, this.#positions * hidden, state.gate, state.up, state.unit);
      const next = this.#layers[index + 1]?.input ?? this.#scratch.final;
      heap.copyWithin(next, state.middle, state.middle + this.#positions * width);
      this.#linear(state.unit, weights.down, next, true);
    });
    const { final, finalNormalized, finalFactors, logits } = this.#scratch;
    normalize(this.#rows(width), final, this.#parameters + this.layout.finalNorm.start, finalNormalized, finalFactors, normEpsilon);
    this.#linear(finalNormalized, this.layout.embedding, logits);
  }

  /** The loss; the logits become their gradients. */
  #crossEntropy(targets: ArrayLike<number>, weight: number): number {
    const heap = this.#heap;
    const { vocabulary } = this.architecture;
    let [asked, total] = [0, 0];
    for (let position = 0; position < this.#positions; position += 1) if (targets[position]! >= 0) asked += 1;
    for (let position = 0; position < this.#positions; position += 1) {
      const from = this.#scratch.logits + position * vocabulary;
      const target = targets[position]!;
      if (target < 0) {
        heap.fill(0, from, from + vocabulary);
        continue;
      }
      let [greatest, sum] = [-Infinity, 0];
      for (let k = 0; k < vocabulary; k += 1) greatest = Math.max(greatest, heap[from + k]!);
      total += greatest - heap[from + target]!;
      for (let k = 0; k < vocabulary; k += 1) {
        const power = Math.exp(heap[from + k]! - greatest);
        heap[from + k] = power;
        sum += power;
      }
      total += Math.log(sum);
      for (let k = 0; k < vocabulary; k += 1) heap[from + k]! *= weight / (sum * asked);
      heap[from + target]! -= weight / asked;
    }
    return total / asked;
  }

  #backward(inputs: ArrayLike<number>): void {
    const heap = this.#heap;
    const positions = this.#positions;
    const { width, hidden, headSize } = this.architecture;
    const { final, finalNormalized, finalFactors, logits, a, b, hidden: dUnit, query, key, value, attention } = this.#scratch;
    const context = { heap, multiply: this.#multiply, positions, architecture: this.architecture, scratch: attention };
    const gradient = (parameter: Parameter): number => this.#gradients + parameter.start;
    this.#linearBack(finalNormalized, this.layout.embedding, logits, b);
    heap.fill(0, a, a + positions * width);
    normalizeBack(this.#rows(width), final, this.#parameters + this.layout.finalNorm.start, finalFactors, b, a, gradient(this.layout.finalNorm));
    for (let index = this.#layers.length - 1; index >= 0; index -= 1) {
      const state = this.#layers[index] as LayerState;
      const weights = this.layout.layers[index] as LayerParameters;
      this.#linearBack(state.unit, weights.down, a, dUnit);
      gatedUnitBack(heap, positions * hidden, state.gate, state.up, dUnit);
      this.#linearBack(state.middleNormalized, weights.gate, state.gate, b);
      this.#linearBack(state.middleNormalized, weights.up, state.up, b, true);
      normalizeBack(this.#rows(width), state.middle, this.#parameters + weights.feedForwardNorm.start, state.middleFactors, b, a, gradient(weights.feedForwardNorm));
      this.#linearBack(state.mixed, weights.attentionOutput, a, query);
      attendBack(context, state, query, key, value);
      rotate(this.#rows(weights.query.rows), query, this.#rotations, headSize, -1);
      rotate(this.#rows(weights.key.rows), key, this.#rotations, headSize, -1);
      this.#linearBack(state.normalized, weights.query, query, b);
      this.#linearBack(state.normalized, weights.key, key, b, true);
      this.#linearBack(state.normalized, weights.value, value, b, true);
      normalizeBack(this.#rows(width), state.input, this.#parameters + weights.attentionNorm.start, state.factors, b, a, gradient(weights.attentionNorm));
    }
    for (let position = 0; position < positions; position += 1) addTo(heap, width, a + position * width, gradient(this.layout.embedding) + inputs[position]! * width);
  }
}
