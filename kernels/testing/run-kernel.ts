import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../program-builder.ts';
import type { Tensor } from '../program-builder.ts';

/** A dense row-major tensor for a test; its element type is that of the kernel's operand. */
export interface TestTensor { readonly rows: number; readonly columns: number; readonly data: readonly number[] }

/** Runs a kernel on the reference evaluator and gives its output's elements, row-major. */
export function runKernel(
  kernel: Kernel,
  [rows, columns]: readonly [number, number],
  operands: readonly TestTensor[],
  parameters: Readonly<Record<string, number>> = {},
): number[] {
  const input = { element: 'i8', rows: 1, columns: 1 } as const;
  const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input, metadata: {} });
  const tensors = operands.map(({ rows: r, columns: c, data }, index): Tensor =>
    kernel.operands[index]?.type === 'i32' ? builder.integers(r, c, Int32Array.from(data)) : builder.bytes(r, c, Int8Array.from(data)));
  const output = { element: kernel.output, rows, columns };
  builder.append(kernel.name, { kernel, output, operands: tensors, parameters });
  const elements = unpackTensor(output, evaluateProgram(builder.build(), new Uint8Array(32)).output);
  return [...(kernel.output === 'i8' ? new Int8Array(elements.buffer) : new Int32Array(elements.buffer))];
}

/** `saturate32((a · m + 2^(s−1)) >> s)`, with floor division where the machine shifts. */
export function referenceRequantize(accumulator: number, multiplier: number, shift: number): number {
  const divisor = 1n << BigInt(shift);
  const sum = BigInt(accumulator) * BigInt(multiplier) + divisor / 2n;
  const quotient = sum / divisor - (sum % divisor < 0n ? 1n : 0n);
  return Number(quotient < -(2n ** 31n) ? -(2n ** 31n) : quotient > 2n ** 31n - 1n ? 2n ** 31n - 1n : quotient);
}

/** `value` cut to [low, high]. */
export const cut = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
