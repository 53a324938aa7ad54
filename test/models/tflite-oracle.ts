import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A tensor of the runtime: `data()` is a view of its memory. */
interface TensorInfo {
  readonly name: string;
  readonly dataType: string;
  readonly shape: string;
  data(): Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;
}
interface TensorInfos { size(): number; get(index: number): TensorInfo; delete(): void }
interface Runner { GetInputs(): TensorInfos; GetOutputs(): TensorInfos; Infer(): boolean; delete(): void }
interface StatusOrRunner { ok(): boolean; errorMessage(): string; value(): Runner }
interface RuntimeModule {
  readonly HEAPU8: Uint8Array;
  readonly TFLiteWebModelRunner: { CreateFromBufferAndOptions(address: number, size: number, options: RunnerOptions): StatusOrRunner };
  _malloc(size: number): number;
}
interface RunnerOptions { readonly numThreads: number; readonly enableProfiling: boolean; readonly maxProfilingBufferEntries: number }

type Factory = (options: { wasmBinary: Uint8Array; print(text: string): void; printErr(text: string): void }) => Promise<RuntimeModule>;

let loaded: Promise<RuntimeModule> | undefined;

/** The wasm runtime of @tensorflow/tfjs-tflite, whose loader knows browsers only: it is told that it is in one, and is handed the wasm's bytes. */
function loadRuntime(): Promise<RuntimeModule> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-tflite/package.json')), 'wasm');
  const source = readFileSync(join(folder, 'tflite_web_api_cc_simd.js'), 'utf8');
  const evaluate = new Function('window', 'document', 'process', 'module', 'exports', `${source}; return tflite_web_api_ModuleFactory;`) as (...scope: unknown[]) => Factory;
  const factory = evaluate({}, { currentScript: { src: '' } }, undefined, undefined, undefined);
  const silent = (): void => {};
  return factory({ wasmBinary: readFileSync(join(folder, 'tflite_web_api_cc_simd.wasm')), print: silent, printErr: silent });
}

/** A TensorFlow Lite model on its own runtime. */
export interface TfliteOracle {
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly dims: readonly number[] }[];
  /** Raw values of the outputs, one after another, for raw values of the inputs. */
  run(...inputs: readonly ArrayLike<number>[]): number[];
}

/** Opens a model on TensorFlow Lite's runtime (with XNNPACK, one thread). @throws Error when it refuses the model. */
export async function openTfliteOracle(bytes: Uint8Array): Promise<TfliteOracle> {
  loaded ??= loadRuntime();
  const runtime = await loaded;
  const address = runtime._malloc(bytes.length);
  runtime.HEAPU8.set(bytes, address);
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1024 };
  const created = runtime.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, bytes.length, options);
  if (!created.ok()) throw new Error(`the TensorFlow Lite runtime refuses the model: ${created.errorMessage()}`);
  const runner = created.value();
  const list = (infos: TensorInfos): TensorInfo[] => Array.from({ length: infos.size() }, (_, index) => infos.get(index));
  const inputs = list(runner.GetInputs());
  const outputs = list(runner.GetOutputs());
  return {
    inputs: inputs.map(({ name, dataType, shape }) => ({ name, type: dataType, dims: shape.split(',').map(Number) })),
    run(...values) {
      values.forEach((value, index) => inputs[index]?.data().set(Array.from(value)));
      if (!runner.Infer()) throw new Error('the TensorFlow Lite runtime failed');
      return outputs.flatMap((output) => Array.from(output.data()));
    },
  };
}
