import { requantizeHalfEven } from '../../../requantize-half-even.ts';
import { requantizeSinglePrecision } from '../../../requantize-single-precision.ts';
import type { ProgramBuilder, Tensor } from '../../../program-builder.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape } from '../../network/activation.ts';
import { fitHalfEven, singlePrecisionBits } from './rounding.ts';
import type { Rounding, StepFunction } from './rounding.ts';

/** A sum that is never rounded otherwise: exceptions of 0 stand there. */
const NEVER = -(2 ** 31);

interface Range { readonly zeroPoint: number; readonly low: number; readonly high: number }

/**
 * Brings i32 sums to bytes by a step function for each column: as a multiplication with a few exceptions, or, where those were many, by the steps of single precision itself.
 *
 * @throws ImportError when neither follows the step functions.
 */
export function requantizeExactly(builder: ProgramBuilder, name: string, sums: Tensor, steps: readonly StepFunction[], { zeroPoint, low, high }: Range): Tensor {
  const output = bytesShape(sums.shape.rows, sums.shape.columns);
  const parameters = { zeroPoint, low, high };
  const fits = fitAll(steps);
  if (fits !== null) return builder.append(name, { kernel: requantizeHalfEven, output, operands: [sums, ...operands(builder, fits)], parameters });
  const bits = steps.map(({ arithmetic, slope }) => (arithmetic === 'single-precision' ? singlePrecisionBits(slope) : null));
  if (!bits.every((bit) => bit !== null)) throw new ImportError(`${name}: the rounding between its scales cannot be followed exactly in integers`);
  return builder.append(name, { kernel: requantizeSinglePrecision, output, operands: [sums, scaleRows(builder, bits)], parameters });
}

function fitAll(steps: readonly StepFunction[]): readonly Rounding[] | null {
  const known = new Map<StepFunction, Rounding>();
  for (const step of steps) {
    if (known.has(step)) continue;
    const fit = fitHalfEven(step);
    if (fit === null) return null;
    known.set(step, fit);
  }
  return steps.map((step) => known.get(step) as Rounding);
}

const scaleRows = (builder: ProgramBuilder, scales: readonly { readonly multiplier: number; readonly shift: number }[]): Tensor =>
  builder.integers(2, scales.length, Int32Array.from([...scales.map(({ multiplier }) => multiplier), ...scales.map(({ shift }) => shift)]));

/** Multipliers and shifts, exceptions, and what these add: the operands of `requantizeHalfEven` after x. */
function operands(builder: ProgramBuilder, fits: readonly Rounding[]): Tensor[] {
  const columns = fits.length;
  const rows = Math.max(1, ...fits.map(({ exceptions }) => exceptions.size));
  const exceptions = new Int32Array(rows * columns).fill(NEVER);
  const steps = new Int8Array(rows * columns);
  fits.forEach((fit, channel) => [...fit.exceptions].forEach(([sum, step], row) => {
    exceptions[row * columns + channel] = sum;
    steps[row * columns + channel] = step;
  }));
  return [scaleRows(builder, fits), builder.integers(rows, columns, exceptions), builder.bytes(rows, columns, steps)];
}
