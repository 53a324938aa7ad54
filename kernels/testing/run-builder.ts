import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { ProgramBuilder } from '../program-builder.ts';
import type { Tensor } from '../program-builder.ts';

/**
 * Runs what `build` appends to the input (elements of `shape`, row-major) on the reference evaluator and on WebAssembly, admits the program (so its word code fits the
 * machine's registers), and gives the result's elements. @throws Error when the two differ
 */
export async function runBuilder(shape: TensorShape, data: readonly number[], build: (builder: ProgramBuilder, x: Tensor) => Tensor): Promise<number[]> {
  const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input: shape, metadata: {} });
  const result = build(builder, builder.input);
  const { model } = admit(builder.build());
  const elements = shape.element === 'i8' ? Int8Array.from(data) : Int32Array.from(data);
  const input = packTensor(shape, new Uint8Array(elements.buffer));
  const expected = evaluateProgram(model, input).output;
  const prepared = await createWasmExecutor().prepare(model);
  const { output } = await prepared.run(input);
  await prepared.dispose();
  if (!output.every((byte, index) => byte === expected[index])) throw new Error('WebAssembly and the reference evaluator differ');
  const bytes = unpackTensor(result.shape, output);
  return [...(result.shape.element === 'i8' ? new Int8Array(bytes.buffer) : new Int32Array(bytes.buffer))];
}
