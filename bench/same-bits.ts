import type { PreparedModel, RunResult } from '../deterministic-runtime/executors/executor.ts';
import { slotCount } from '../deterministic-runtime/program/program.ts';

/**
 * Runs the same input on several executors.
 * @param tensors compares all slots' tensors, not the output alone
 * @returns the first executor's run and its milliseconds, and whether the others gave the same bits
 */
export async function runOnAll(prepared: readonly PreparedModel[], input: Uint8Array, tensors: boolean): Promise<{ readonly run: RunResult; readonly milliseconds: number; readonly same: boolean }> {
  const [first, ...others] = prepared;
  if (first === undefined) throw new Error('there is no executor');
  const keep = tensors ? 'all' : 'result';
  const start = performance.now();
  const run = await first.run(input, { keep });
  const milliseconds = performance.now() - start;
  const slots = tensors ? Array.from({ length: slotCount(first.model.program) }, (_, slot) => slot) : [];
  let same = true;
  for (const other of others) {
    const second = await other.run(input, { keep });
    same &&= equal(run.output, second.output) && run.iterations === second.iterations && slots.every((slot) => equal(run.tensor(slot), second.tensor(slot)));
  }
  return { run, milliseconds, same };
}

const equal = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;
