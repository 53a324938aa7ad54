import type { SpecializedKernel } from '../../language/specialized.ts';
import { byteLength, elementBytes, wordsPerRow } from '../../program/tensor.ts';
import type { TensorShape } from '../../program/tensor.ts';
import { compileKernels } from '../compile.ts';
import type { CompiledKernel } from '../compile.ts';
import { GUARD_BYTES, ZERO_AREA, longestRowBytes } from '../lower.ts';
import type { LoweringOptions } from '../lower.ts';

/** A run of a compiled kernel by itself. */
export interface KernelRun {
  readonly iteration: number;
  /** Padded words of each operand: one tensor for single ones, one an iteration for iterated ones. */
  readonly operands: readonly (readonly Uint8Array[])[];
  /** Rows to compute; all when absent. The others keep what was there. */
  readonly rows?: readonly [number, number];
  /** Columns where the work is divided into calls. */
  readonly columnCuts?: readonly number[];
}

/**
 * Compiles a kernel and runs it. All memory but the zero area and the tensors' padding starts with other bytes than zero,
 * so that a read outside a tensor, or an element that is not written, shows.
 */
export function runKernel(kernel: SpecializedKernel, run: KernelRun, options: LoweringOptions = {}): Uint8Array {
  const strides = kernel.operands.map(({ shape }) => byteLength(shape));
  const bytes = compileKernels([{ name: 'kernel', kernel, strides, ...options }]);
  const sizes = [byteLength(kernel.output), ...strides.map((stride, index) => stride * (run.operands[index]?.length ?? 0))];
  const first = ZERO_AREA + longestRowBytes(kernel);
  const total = sizes.reduce((sum, size) => sum + size, first) + GUARD_BYTES;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(total / 65536) });
  const heap = new Uint8Array(memory.buffer);
  heap.fill(0x55);
  heap.fill(0, ZERO_AREA, first);
  let next = first;
  const addresses = sizes.map((size) => {
    next += size;
    return next - size;
  });
  run.operands.forEach((tensors, index) => tensors.forEach((words, iteration) => heap.set(words, addresses[index + 1]! + iteration * strides[index]!)));
  const output = heap.subarray(addresses[0]!, addresses[0]! + sizes[0]!);
  clearPadding(kernel.output, output);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const [from, to] = run.rows ?? [0, kernel.output.rows];
  const cuts = [0, ...(run.columnCuts ?? []), kernel.output.columns];
  cuts.slice(1).forEach((toColumn, index) => {
    (exports['kernel'] as CompiledKernel)(run.iteration, from, to, cuts[index]!, toColumn, ...(addresses as [number, ...number[]]));
  });
  return output.slice();
}

/** Sets the padding lanes of a tensor to zero. */
export function clearPadding(shape: TensorShape, words: Uint8Array): Uint8Array {
  const rowBytes = wordsPerRow(shape) * 32;
  for (let row = 0; row < shape.rows; row += 1) words.fill(0, row * rowBytes + shape.columns * elementBytes(shape.element), (row + 1) * rowBytes);
  return words;
}
