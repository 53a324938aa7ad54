import { requantizeHalfEven } from '../../../requantize-half-even.ts';
import type { ProgramBuilder, Tensor } from '../../../program-builder.ts';
import { bytesShape } from '../../network/activation.ts';
import { fitHalfEven } from './rounding.ts';
import type { StepFunction } from './rounding.ts';

/** A sum that never occurs: every channel's sums stay above it. */
const NEVER = -(2 ** 31);

/** Brings i32 sums to bytes by a step function for each column. @throws ImportError when integers cannot follow one. */
export function requantizeExactly(
  builder: ProgramBuilder,
  name: string,
  sums: Tensor,
  steps: readonly StepFunction[],
  { zeroPoint, low, high }: { readonly zeroPoint: number; readonly low: number; readonly high: number },
): Tensor {
  const known = new Map<StepFunction, ReturnType<typeof fitHalfEven>>();
  const fits = steps.map((step, channel) => {
    const fit = known.get(step) ?? fitHalfEven(step, `${name}, channel ${channel}`);
    known.set(step, fit);
    return fit;
  });
  const { columns } = sums.shape;
  const rows = Math.max(1, ...fits.map(({ exceptions }) => exceptions.size));
  const exceptions = new Int32Array(rows * columns).fill(NEVER);
  const changes = new Int8Array(rows * columns);
  fits.forEach((fit, channel) => [...fit.exceptions].forEach(([sum, change], row) => {
    exceptions[row * columns + channel] = sum;
    changes[row * columns + channel] = change;
  }));
  const scale = builder.integers(2, columns, Int32Array.from([...fits.map((fit) => fit.multiplier), ...fits.map((fit) => fit.shift)]));
  return builder.append(name, {
    kernel: requantizeHalfEven,
    output: bytesShape(sums.shape.rows, columns),
    operands: [sums, scale, builder.integers(rows, columns, exceptions), builder.bytes(rows, columns, changes)],
    parameters: { zeroPoint, low, high },
  });
}
