import { evaluateModel, floatOutputs } from '../../../kernels/import/evaluate-model.ts';
import type { Dataset, Evaluation } from '../../../kernels/import/evaluate-model.ts';
import { ImportError } from '../../../kernels/import/import-error.ts';
import { inputSize } from '../../../kernels/import/network/evaluate.ts';
import { fuseLayers } from '../../../kernels/import/network/fuse.ts';
import type { Network } from '../../../kernels/import/network/layer.ts';
import { RECIPES } from '../../../kernels/import/npm/recipes.ts';
import { decodeOnnx } from '../../../kernels/import/onnx/decode.ts';
import { toNetwork } from '../../../kernels/import/onnx/import.ts';
import { isQuantized } from '../../../kernels/import/onnx/quantized/import.ts';
import { layersModelGraph } from '../../../kernels/import/tensorflow-js/graph.ts';
import { tfliteFloatNetwork } from '../../../kernels/import/tflite/float-network.ts';
import { nextTokenOperator } from '../../../kernels/language-model/interface.ts';
import { UserError } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import { takesTokens } from '../../language-model.ts';
import { findPackage, onlyModelOf, packageReader, parsePackageSource, pathInPackage } from '../../model-files/npm-package.ts';
import { readTensorFlowJs } from '../../model-files/tensorflow-js.ts';
import { isTflite } from '../../network-import.ts';
import { openBundle } from '../bundles.ts';
import type { EvaluateFlags } from '../commands/evaluate.ts';
import { readFloats, readInputFile } from '../files.ts';
import { evaluateTexts } from './evaluate-language-model.ts';
import { hex, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';

/** Samples between two words of progress. */
const SAMPLES_PER_STATUS = 10;

/** Runs a bundle's program and a float model on the same inputs, and tells how they differ. @throws UserError */
export async function evaluateBundle(directory: string, flags: EvaluateFlags): Promise<void> {
  const { against, dataset, labels, limit, executor: name, json } = flags;
  const encoded = await openBundle(directory);
  const { modelId, model } = encoded;
  if (takesTokens(model) || nextTokenOperator(model.program) !== undefined) return evaluateTexts(directory, encoded, flags);
  if ((model.program.metadata['input'] as { readonly kind?: unknown } | undefined)?.kind === 'text') {
    throw new UserError(`${model.program.name} is a model of text that is no language model: assay evaluate has nothing to compare it with`, { hint: 'name the bundle of a network or of a language model' });
  }
  const network = await readNetwork(against);
  const inputs = await readFloats(dataset);
  const size = inputSize(network);
  if (inputs.length % size !== 0) throw new UserError(`${dataset} has ${inputs.length} numbers, which is no whole number of inputs of ${size}`);
  const count = inputs.length / size;
  const classes = labels === undefined ? undefined : await readInputFile(labels);
  if (classes !== undefined && classes.length !== count) throw new UserError(`${labels} has ${classes.length} labels for the ${count} inputs of ${dataset}`, { hint: 'one byte is one label' });
  const executor = await executorByName(name);
  try {
    const prepared = await executor.prepare(model);
    const samples = samplesOf(inputs, size, Math.min(count, limit ?? count), classes);
    const evaluation = await evaluateModel(prepared, floatOutputs(network), { samples });
    await prepared.dispose();
    await printAnswer({ modelId: hex(modelId), ...(json === true ? evaluation : withPercentages(evaluation)), executor: executor.name }, json === true);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new UserError(`${directory} cannot be compared with ${against}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await executor.dispose();
  }
}

/** Shares as percentages, for people. */
const withPercentages = (evaluation: Evaluation): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(evaluation).map(([name, value]) => [name, SHARES.has(name) && typeof value === 'number' ? `${(value * 100).toFixed(2)}%` : value]));
const SHARES: ReadonlySet<string> = new Set(['agreement', 'accuracy', 'floatAccuracy'] satisfies (keyof Evaluation)[]);

async function readNetwork(source: string): Promise<Network> {
  try {
    if (source.startsWith('npm:')) return await readPackage(source);
    if (source.endsWith('.json')) return fuseLayers(toNetwork(layersModelGraph(await readTensorFlowJs(source))));
    const bytes = await readInputFile(source);
    if (isTflite(bytes)) return tfliteFloatNetwork(bytes);
    const graph = decodeOnnx(bytes);
    if (isQuantized(graph)) throw new ImportError('it is quantised already: name the float model that it was made of');
    return fuseLayers(toNetwork(graph));
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new UserError(`cannot evaluate against ${source}: ${error.message}`, { cause: error });
  }
}

/** The float model of an installed package, as its import reads it. */
async function readPackage(source: string): Promise<Network> {
  const parsed = parsePackageSource(source);
  const found = await findPackage(parsed, process.cwd());
  const recipe = parsed.path === undefined ? RECIPES.get(parsed.name) : undefined;
  if (recipe !== undefined) return recipe.read(packageReader(found));
  return readNetwork(parsed.path === undefined ? await onlyModelOf(found) : await pathInPackage(found, parsed.path));
}

function* samplesOf(inputs: Float32Array, size: number, count: number, labels: Uint8Array | undefined): Dataset['samples'] {
  for (let index = 0; index < count; index += 1) {
    if (index % SAMPLES_PER_STATUS === 0) showStatus(`sample ${index} of ${count}`);
    const label = labels?.[index];
    yield { input: inputs.subarray(index * size, (index + 1) * size), ...(label === undefined ? {} : { label }) };
  }
}
