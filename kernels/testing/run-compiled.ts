import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { ProgramBuilder } from '../program-builder.ts';
import type { Tensor } from '../program-builder.ts';

/** Elements of a constant for a test; its element type is that of the kernel's operand. */
export interface CompiledTensor { readonly rows: number; readonly columns: number; readonly data: ArrayLike<number> }

/** What `runKernel` does, compiled: for more elements than the reference evaluator can take. The same bits, as the executors' own tests show. */
export async function runCompiled(
  kernel: Kernel,
  [rows, columns]: readonly [number, number],
  operands: readonly CompiledTensor[],
  parameters: Readonly<Record<string, number>> = {},
): Promise<Int8Array | Int32Array> {
  const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} });
  const tensors = operands.map(({ rows: r, columns: c, data }, index): Tensor =>
    kernel.operands[index]?.type === 'i32' ? builder.integers(r, c, Int32Array.from(data)) : builder.bytes(r, c, Int8Array.from(data)));
  const output = { element: kernel.output, rows, columns };
  builder.append(kernel.name, { kernel, output, operands: tensors, parameters });
  const prepared = await createWasmExecutor().prepare(builder.build());
  const elements = unpackTensor(output, (await prepared.run(new Uint8Array(32))).output);
  await prepared.dispose();
  return kernel.output === 'i8' ? new Int8Array(elements.buffer) : new Int32Array(elements.buffer);
}
