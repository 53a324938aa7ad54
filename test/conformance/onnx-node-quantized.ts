import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import type { OnnxGraph, OnnxTensor } from '../../kernels/import/onnx/graph.ts';
import { importQuantizedGraph } from '../../kernels/import/onnx/quantized/import.ts';

/**
 * Numbers that a quantised graph gives other than expected: its first input is the program's, the others (scales, zero points, weights) are constants. Integers have to be equal, floats
 * to single precision. Of `DynamicQuantizeLinear` the bytes are compared; its scale and zero point do not leave a program.
 *
 * @throws ImportError for forms that are not supported.
 */
export async function differingOutputs(graph: OnnxGraph, inputs: ReadonlyMap<string, OnnxTensor>, outputs: readonly OnnxTensor[]): Promise<number> {
  const [[, first] = ['', undefined], ...others] = inputs;
  if (first === undefined) throw new Error('a test without inputs');
  const bytesOnly = graph.nodes.every(({ operator }) => operator === 'DynamicQuantizeLinear');
  const [expected, ...more] = outputs;
  const { model } = importQuantizedGraph(bytesOnly ? { ...graph, outputs: graph.outputs.slice(0, 1) } : graph, { classify: false, constants: new Map(others), calibration: Float32Array.from(first.data) });
  admit(model);
  const prepared = await createWasmExecutor().prepare(model);
  const result = dequantizeOutput(model, (await prepared.run(quantizeInput(model, Float32Array.from(first.data)))).output);
  await prepared.dispose();
  if (expected === undefined || (more.length > 0 && !bytesOnly) || expected.data.length !== result.length) throw new Error(`${result.length} numbers are not what is expected`);
  return Array.from(expected.data).filter((value, index) => !(Math.abs(value - (result[index] ?? NaN)) <= 1e-6 * Math.abs(value))).length;
}
