/**
 * What a transformer's layers do besides products of matrices: each forwards, and backwards. All of them work on a heap of floats in place, rows of
 * `width` numbers one after another, at offsets that count floats.
 */

/** Rows of a heap. */
export interface Rows { readonly heap: Float32Array; readonly rows: number; readonly width: number }

/** RMSNorm (arXiv 1910.07467): `y = weight · x / sqrt(mean(x²) + epsilon)`. Keeps each row's factor for the way back. */
export function normalize({ heap, rows, width }: Rows, x: number, weight: number, y: number, factors: number, epsilon: number): void {
  for (let row = 0; row < rows; row += 1) {
    const from = x + row * width;
    let squares = 0;
    for (let k = 0; k < width; k += 1) squares += heap[from + k]! * heap[from + k]!;
    const factor = 1 / Math.sqrt(squares / width + epsilon);
    heap[factors + row] = factor;
    for (let k = 0; k < width; k += 1) heap[y + row * width + k] = heap[weight + k]! * heap[from + k]! * factor;
  }
}

/** Adds `normalize`'s gradients to those of `x` and of the weight, from that of `y`. */
export function normalizeBack({ heap, rows, width }: Rows, x: number, weight: number, factors: number, dy: number, dx: number, dWeight: number): void {
  for (let row = 0; row < rows; row += 1) {
    const [from, back, to] = [x + row * width, dy + row * width, dx + row * width];
    const factor = heap[factors + row]!;
    let dot = 0;
    for (let k = 0; k < width; k += 1) {
      const product = heap[back + k]! * heap[from + k]!;
      heap[dWeight + k]! += product * factor;
      dot += product * heap[weight + k]!;
    }
    const common = dot * factor * factor * factor / width;
    for (let k = 0; k < width; k += 1) heap[to + k]! += heap[back + k]! * heap[weight + k]! * factor - heap[from + k]! * common;
  }
}

/** Sines and cosines of the rotary embedding (arXiv 2104.09864) of neighbouring pairs: [position][pair][cosine, sine]. */
export function rotations(positions: number, headSize: number, base: number): Float32Array {
  const pairs = headSize / 2;
  const table = new Float32Array(positions * headSize);
  for (let position = 0; position < positions; position += 1) {
    for (let pair = 0; pair < pairs; pair += 1) {
      const angle = position * base ** (-2 * pair / headSize);
      table[(position * pairs + pair) * 2] = Math.cos(angle);
      table[(position * pairs + pair) * 2 + 1] = Math.sin(angle);
    }
  }
  return table;
}

/** Turns each head's pairs by their position's angles; by the opposite ones with direction −1, which is the way back for gradients. */
export function rotate({ heap, rows, width }: Rows, x: number, table: Float32Array, headSize: number, direction: 1 | -1): void {
  for (let row = 0; row < rows; row += 1) {
    for (let k = 0; k < width; k += 2) {
      const entry = row * headSize + k % headSize;
      const [cosine, sine] = [table[entry]!, direction * table[entry + 1]!];
      const at = x + row * width + k;
      const [a, b] = [heap[at]!, heap[at + 1]!];
      heap[at] = a * cosine - b * sine;
      heap[at + 1] = a * sine + b * cosine;
    }
  }
}

/** Softmax of the first `row + 1 + offset` numbers of each row, times `scale` first; the others become 0. */
export function causalSoftmax({ heap, rows, width }: Rows, x: number, rowStride: number, offset: number, scale: number): void {
  for (let row = 0; row < rows; row += 1) {
    const from = x + row * rowStride;
    const length = row + 1 + offset;
    let greatest = -Infinity;
    for (let k = 0; k < length; k += 1) greatest = Math.max(greatest, heap[from + k]!);
    let total = 0;
    for (let k = 0; k < length; k += 1) {
      const weight = Math.exp((heap[from + k]! - greatest) * scale);
      heap[from + k] = weight;
      total += weight;
    }
    for (let k = 0; k < length; k += 1) heap[from + k]! /= total;
    for (let k = length; k < width; k += 1) heap[from + k] = 0;
  }
}

/** Turns the gradient of `causalSoftmax`'s result `p` into that of its argument, in place. */
export function causalSoftmaxBack({ heap, rows, width }: Rows, p: number, pStride: number, dp: number, dpStride: number, offset: number, scale: number): void {
  for (let row = 0; row < rows; row += 1) {
    const [from, back, length] = [p + row * pStride, dp + row * dpStride, row + 1 + offset];
    let dot = 0;
    for (let k = 0; k < length; k += 1) dot += heap[from + k]! * heap[back + k]!;
    for (let k = 0; k < length; k += 1) heap[back + k] = heap[from + k]! * (heap[back + k]! - dot) * scale;
    for (let k = length; k < width; k += 1) heap[back + k] = 0;
  }
}

/** SwiGLU (arXiv 2002.05202): `y = gate · sigmoid(gate) · up`. */
export function gatedUnit(heap: Float32Array, length: number, gate: number, up: number, y: number): void {
  for (let k = 0; k < length; k += 1) {
    const x = heap[gate + k]!;
    heap[y + k] = x / (1 + Math.exp(-x)) * heap[up + k]!;
  }
}

/** Puts the gradients of `gate` and `up` in their places, from that of `y`. */
export function gatedUnitBack(heap: Float32Array, length: number, gate: number, up: number, dy: number): void {
  for (let k = 0; k < length; k += 1) {
    const x = heap[gate + k]!;
    const sigmoid = 1 / (1 + Math.exp(-x));
    const gradient = heap[dy + k]!;
    heap[gate + k] = gradient * heap[up + k]! * sigmoid * (1 + x * (1 - sigmoid));
    heap[up + k] = gradient * x * sigmoid;
  }
}

/** Copies a matrix so that its columns become rows. */
export function transpose(heap: Float32Array, rows: number, columns: number, x: number, rowStride: number, y: number, yStride = rows): void {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) heap[y + column * yStride + row] = heap[x + row * rowStride + column]!;
  }
}

/** `y += x`. */
export function addTo(heap: Float32Array, length: number, x: number, y: number): void {
  for (let k = 0; k < length; k += 1) heap[y + k]! += heap[x + k]!;
}
