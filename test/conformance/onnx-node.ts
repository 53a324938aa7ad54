import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { ImportError } from '../../kernels/import/import-error.ts';
import { dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import { activationQuantization } from '../../kernels/import/network/quantization.ts';
import type { FloatTensor } from '../../kernels/import/network/float-tensor.ts';
import { decodeOnnx } from '../../kernels/import/onnx/decode.ts';
import type { OnnxGraph, OnnxTensor } from '../../kernels/import/onnx/graph.ts';
import { convertGraph, importOnnx, toNetwork } from '../../kernels/import/onnx/import.ts';
import { OPERATORS } from '../../kernels/import/onnx/operators.ts';
import { isQuantized } from '../../kernels/import/onnx/quantized/import.ts';
import { readTensor } from '../../kernels/import/onnx/tensor-data.ts';
import { differingOutputs } from './onnx-node-quantized.ts';
import { typeOfElement } from '../../kernels/import/onnx/element-type.ts';

/** The archive of ONNX's own operator tests, inside the folder of models. */
export const ONNX_NODE_ARCHIVE = 'conformance/onnx_node_v1.20.0.tar.xz';

/** Unpacks the archive (with the command `tar`) to a temporary folder; returns the folders of its tests and a function that removes them. */
export function unpackOnnxTests(folder: string): { readonly tests: readonly string[]; readonly remove: () => void } {
  const target = mkdtempSync(join(tmpdir(), 'onnx-node-'));
  execFileSync('tar', ['xJf', join(folder, ONNX_NODE_ARCHIVE), '-C', target]);
  const data = join(target, 'onnx/backend/test/data');
  const tests = ['node', 'simple'].flatMap((group) => readdirSync(join(data, group)).map((name) => join(data, group, name))).filter((test) => existsSync(join(test, 'model.onnx')));
  return { tests: tests.sort(), remove: () => { rmSync(target, { recursive: true, force: true }); } };
}

export type Outcome = 'passed' | 'failed' | 'unsupported';

/** How a test went: with activations of sixteen bits, and of eight. */
export interface NodeTestResult {
  readonly test: string;
  /** The operator, or several of them. */
  readonly operators: readonly string[];
  readonly outcome: Outcome;
  readonly eightBits: Outcome;
  /** The greatest error in steps of eight bits, or why it was not run. */
  readonly detail: string;
  readonly steps: { readonly eight: number; readonly sixteen: number } | null;
}

/** What a test's model is fed with and has to give. */
interface TestData { readonly inputs: ReadonlyMap<string, OnnxTensor>; readonly outputs: readonly OnnxTensor[] }

function readTestData(test: string, graph: OnnxGraph): TestData {
  const read = (kind: 'input' | 'output', index: number): OnnxTensor =>
    readTensor(onnxProto.onnx.TensorProto.decode(new Uint8Array(readFileSync(join(test, `test_data_set_0/${kind}_${index}.pb`)))), `${kind} ${index}`);
  return {
    inputs: new Map(graph.inputs.map(({ name }, index) => [name, read('input', index)])),
    outputs: graph.outputs.map((_, index) => read('output', index)),
  };
}

/** Imports a test's model, runs it, and compares its outputs with the expected ones. */
export async function runNodeTest(test: string): Promise<NodeTestResult> {
  const name = test.split('/').at(-1) ?? test;
  const bytes = new Uint8Array(readFileSync(join(test, 'model.onnx')));
  let operators: readonly string[] = [];
  const unsupported = (detail: string): NodeTestResult => ({ test: name, operators, outcome: 'unsupported', eightBits: 'unsupported', detail, steps: null });
  try {
    const graph = decodeOnnx(bytes);
    operators = [...new Set(graph.nodes.map(({ operator }) => operator))];
    if (isQuantized(graph)) return await runQuantizedTest(name, operators, graph, readTestData(test, graph));
    const unknown = operators.filter((operator) => !OPERATORS.has(operator));
    if (unknown.length > 0) return unsupported(`${unknown.join(', ')} not supported`);
    const data = readTestData(test, graph);
    if (data.outputs.some(({ data: { length } }) => length === 0)) return unsupported('a tensor without elements');
    const folded = foldedSteps(graph, data);
    if (folded !== null) return { test: name, operators, outcome: folded === 0 ? 'passed' : 'failed', eightBits: folded === 0 ? 'passed' : 'failed', detail: folded === 0 ? 'computed at import' : 'computed at import, wrongly', steps: { eight: folded, sixteen: folded } };
    const constants = constantInputs(bytes, graph, data);
    const [sixteen, eight] = [await greatestSteps(bytes, graph, data, constants, 16), await greatestSteps(bytes, graph, data, constants, 8)];
    const outcome = (steps: number): Outcome => (steps <= 1 + 1e-4 ? 'passed' : 'failed');
    return { test: name, operators, outcome: outcome(sixteen), eightBits: outcome(eight), detail: `${sixteen.toFixed(3)} steps with sixteen bits, ${eight.toFixed(3)} with eight`, steps: { eight, sixteen } };
  } catch (error) {
    if (error instanceof ImportError) return unsupported(error.message);
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return unsupported('its data are no tensors');
    return { test: name, operators, outcome: 'failed', eightBits: 'failed', detail: `${error instanceof Error ? error.message : String(error)}`, steps: null };
  }
}

/** Graphs that are quantised already: every number has to be the expected one. */
async function runQuantizedTest(test: string, operators: readonly string[], graph: OnnxGraph, { inputs, outputs }: TestData): Promise<NodeTestResult> {
  const differing = await differingOutputs(graph, inputs, outputs);
  const outcome = differing === 0 ? 'passed' : 'failed';
  return { test, operators, outcome, eightBits: outcome, detail: `${differing} numbers differ`, steps: null };
}

/** For models that importing computes: 0 if the results are those expected, else infinity. Null for others. */
function foldedSteps(graph: OnnxGraph, { inputs, outputs }: TestData): number | null {
  let conversion;
  try {
    conversion = convertGraph(graph, dimsOf(inputs), new Map([...inputs].slice(graph.nodes.length === 1 && ['Shape', 'Size'].includes(graph.nodes[0]?.operator ?? '') ? 1 : 0)));
  } catch (error) {
    if (error instanceof ImportError) return null;
    throw error;
  }
  const folding = graph.inputs.length === 0 || graph.nodes.every(({ operator }) => ['Shape', 'Size', 'Range', 'ConstantOfShape', 'Constant'].includes(operator));
  if (!folding) return null;
  const equal = graph.outputs.every(({ name }, index) => {
    const result = conversion.constants.get(conversion.resolve(name));
    const expected = outputs[index];
    return result !== undefined && expected !== undefined && same(result, expected);
  });
  return equal ? 0 : Infinity;
}

const same = (left: FloatTensor, right: FloatTensor): boolean =>
  left.dims.join() === right.dims.join() && left.data.every((value, index) => Math.abs(value - (right.data[index] ?? NaN)) <= 1e-6 * Math.abs(value));

const dimsOf = (inputs: TestData['inputs']): Record<string, readonly number[]> => Object.fromEntries([...inputs].map(([name, { dims }]) => [name, dims]));

/** Which inputs the model needs as constants (weights, shapes, axes): none if possible, else all but the first. */
function constantInputs(bytes: Uint8Array, graph: OnnxGraph, { inputs }: TestData): ReadonlyMap<string, FloatTensor> {
  const tried = [new Map<string, FloatTensor>(), ...[...inputs.keys()].map((_, first) => new Map([...inputs].filter(([, __], index) => index !== first)))];
  let refusal: unknown = null;
  for (const constants of tried) {
    try {
      importOnnx(bytes, { calibration: ownInputs(graph, inputs, constants), activationBits: 8, constants, inputDims: dimsOf(inputs) });
      return constants;
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      refusal ??= error;
      if (constants.size > 0 && error.message.includes('does not depend')) continue;
      if (constants.size > 0) refusal = error;
    }
  }
  throw refusal;
}

/** The inputs that the program takes, one after another. */
function ownInputs(graph: OnnxGraph, inputs: TestData['inputs'], constants: ReadonlyMap<string, FloatTensor>, change: (tensor: OnnxTensor) => ArrayLike<number> = ({ data }) => data): Float32Array {
  const read = toNetwork(graph, dimsOf(inputs), constants).inputs;
  return Float32Array.from(read.flatMap((name) => Array.from(change(inputs.get(name) as OnnxTensor))));
}

/** The test's own input and some random ones over the same range; whole numbers stay, since they may be indices. */
function calibration(graph: OnnxGraph, inputs: TestData['inputs'], constants: ReadonlyMap<string, FloatTensor>): Float32Array {
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const shaken = (tensor: OnnxTensor): ArrayLike<number> => {
    if (typeOfElement(tensor.elementType) === 'integer') return tensor.data;
    const values = Array.from(tensor.data);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
    return Array.from(tensor.data, () => low + (high - low) * random());
  };
  const own = ownInputs(graph, inputs, constants);
  const rest = own.length > 20000 ? [] : [0, 1, 2].map(() => ownInputs(graph, inputs, constants, shaken));
  return Float32Array.from([own, ...rest].flatMap((part) => [...part]));
}

/** The greatest error of an output in steps of eight bits over its range; whole numbers have to be equal. */
async function greatestSteps(bytes: Uint8Array, graph: OnnxGraph, data: TestData, constants: ReadonlyMap<string, FloatTensor>, activationBits: 8 | 16): Promise<number> {
  const { model } = importOnnx(bytes, { calibration: calibration(graph, data.inputs, constants), activationBits, constants, inputDims: dimsOf(data.inputs) });
  admit(model);
  const prepared = await createWasmExecutor().prepare(model);
  const result = dequantizeOutput(model, (await prepared.run(quantizeInput(model, ownInputs(graph, data.inputs, constants)))).output);
  await prepared.dispose();
  const expectedCount = data.outputs.reduce((sum, { data: { length } }) => sum + length, 0);
  if (result.length !== expectedCount) throw new Error(`${result.length} numbers instead of ${expectedCount}`);
  let [start, greatest] = [0, 0];
  for (const { data: expected, elementType } of data.outputs) {
    const own = result.subarray(start, start + expected.length);
    start += expected.length;
    const values = Array.from(expected);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), 0), values.reduce((a, b) => Math.max(a, b), 0)];
    const step = typeOfElement(elementType) === 'integer' ? 1e-9 : activationQuantization({ low, high }).scale;
    expected.forEach((value, index) => {
      const error = Math.abs(value - (own[index] ?? NaN)) / step;
      greatest = Number.isNaN(error) ? Infinity : Math.max(greatest, error);
    });
  }
  return greatest;
}
