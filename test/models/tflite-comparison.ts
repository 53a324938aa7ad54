import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { modelInterface } from '../../kernels/import/model-interface.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import type { TfliteImportOptions } from '../../kernels/import/tflite/import.ts';
import { openTfliteOracle } from './tflite-oracle.ts';

/** The generator that golden/tflite_lcg_golden.json of docs/models-and-data.md defines: bytes 0 … 255. */
export function goldenGenerator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) & 255;
  };
}

/** Elements of a tensor of the program as little-endian bytes, packed. */
export function packIntegers(shape: TensorShape, values: ArrayLike<number>): Uint8Array {
  if (shape.element === 'i8') return packTensor(shape, Uint8Array.from(Array.from(values), (value) => value & 0xff));
  const view = new DataView(new ArrayBuffer(values.length * 4));
  Array.from(values).forEach((value, index) => view.setInt32(index * 4, value, true));
  return packTensor(shape, new Uint8Array(view.buffer));
}

/** The integers of a result, as the original model counts them. */
export function resultIntegers(model: Model, words: Uint8Array): number[] {
  const shape = model.program.prologue.at(-1)?.output;
  if (shape === undefined) throw new Error('the program has no operators');
  const bytes = unpackTensor(shape, words);
  const { output } = modelInterface(model.program);
  const unsigned = (output.kind === 'tensor' ? output : output.kind === 'tensors' ? output.parts[0] : undefined)?.element === 'uint8';
  if (unsigned) return Array.from(bytes);
  return Array.from(shape.element === 'i8' ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : new Int32Array(bytes.slice().buffer));
}

/** A model on this project's executor and on TensorFlow Lite's runtime. */
export interface Comparison {
  readonly model: Model;
  readonly prepared: PreparedModel;
  readonly inputs: readonly { readonly type: string; readonly dims: readonly number[] }[];
  /** Own and expected results for inputs as the model counts them. */
  run(...inputs: readonly ArrayLike<number>[]): Promise<{ readonly own: number[]; readonly expected: number[] }>;
}

/** Imports a model and opens it on both sides. */
export async function compareTflite(bytes: Uint8Array, options: TfliteImportOptions = {}): Promise<Comparison> {
  const { model } = importTflite(bytes, options);
  const prepared = await createWasmExecutor().prepare(model);
  const oracle = await openTfliteOracle(bytes);
  return {
    model,
    prepared,
    inputs: oracle.inputs,
    async run(...inputs) {
      const expected = oracle.run(...inputs);
      const { output } = await prepared.run(packIntegers(model.program.input, inputs.flatMap((input) => Array.from(input))));
      return { own: resultIntegers(model, output), expected };
    },
  };
}
