import type { OperatorSteps } from '../program/steps.ts';
import { wordCount } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';

/** What `emitWordFunction` makes. */
export type RunRows = (iteration: number, target: number, firstRow: number, endRow: number) => void;

/** Steps of one call into WebAssembly: short calls let the engine replace its first, slow code early. */
const STEPS_PER_CALL = 500_000n;

/** Rows of an output that one call into WebAssembly computes, at least one. */
export function rowsPerCall(output: TensorShape, steps: OperatorSteps, iteration: number): number {
  const rowSteps = steps.before(iteration, wordCount(output) / output.rows);
  return Number(STEPS_PER_CALL / rowSteps) || 1;
}
