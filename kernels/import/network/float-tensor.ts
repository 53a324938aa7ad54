/** A dense row-major tensor of numbers, as model files hold them: floats in single precision, integers exactly. */
export interface FloatTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Elements of a tensor with these dimensions; 1 for a scalar. */
export const elementCount = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Distance between neighbours along each axis. */
export function strides(dims: readonly number[]): number[] {
  const result = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis -= 1) result[axis] = (result[axis + 1] ?? 1) * (dims[axis + 1] ?? 1);
  return result;
}

/** Dimensions that two tensors broadcast to (ONNX, multidirectional); null when they do not. */
export function broadcastDims(left: readonly number[], right: readonly number[]): number[] | null {
  const rank = Math.max(left.length, right.length);
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return null;
    result.push(a === 1 ? b : a);
  }
  return result;
}

/** `data` of a tensor, repeated to broader dimensions. */
export function broadcastTo({ dims, data }: FloatTensor, target: readonly number[]): Float32Array {
  const offset = target.length - dims.length;
  const steps = strides(dims).map((stride, axis) => (dims[axis] === 1 ? 0 : stride));
  const targetStrides = strides(target);
  return Float32Array.from({ length: elementCount(target) }, (_, index) => {
    let source = 0;
    for (let axis = offset; axis < target.length; axis += 1) {
      source += (Math.floor(index / (targetStrides[axis] ?? 1)) % (target[axis] ?? 1)) * (steps[axis - offset] ?? 0);
    }
    return data[source] ?? 0;
  });
}
