import type { Architecture, GlobalWeight, LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { checkArchitecture, weightShape } from '../../language-model/dimensions.ts';
import { ImportError } from '../import-error.ts';
import type { StoredMatrix } from './stored-matrix.ts';

const GLOBAL: readonly GlobalWeight[] = ['embedding', 'positions', 'finalNorm', 'finalNormBias', 'output'];
const LAYER: readonly LayerWeight[] = [
  'attentionNorm', 'attentionNormBias', 'query', 'key', 'value', 'attentionOutput', 'queryBias', 'keyBias', 'valueBias', 'attentionOutputBias',
  'feedForwardNorm', 'feedForwardNormBias', 'gate', 'up', 'down', 'upBias', 'downBias',
];

/** Most problems that one message lists. */
const LISTED = 10;

/** All names that a model may have, the global ones first. */
export function weightNames(layers: number): WeightName[] {
  return [...GLOBAL.map((tensor) => ({ tensor })), ...Array.from({ length: layers }, (_, layer) => LAYER.map((tensor) => ({ tensor, layer }))).flat()];
}

/** A name in words. */
export const describeWeight = (name: WeightName): string => ('layer' in name ? `${name.tensor} of layer ${name.layer}` : name.tensor);

/** True for tensors that a model can do without: an output of its own, and Llama's biases. */
const isOptional = ({ family }: Architecture, tensor: string): boolean => tensor === 'output' || (family === 'llama' && tensor.endsWith('Bias'));

/** The first few of a list, for a message. */
export const listed = (items: readonly string[]): string => items.slice(0, LISTED).join('; ') + (items.length > LISTED ? `; and ${items.length - LISTED} more` : '');

/** `checkArchitecture` for dimensions that a file states. @throws ImportError that says which of them cannot be */
export function importedArchitecture(architecture: Architecture): Architecture {
  try {
    checkArchitecture(architecture);
  } catch (error) {
    throw new ImportError(`the model's dimensions cannot be: ${(error as Error).message}`, { cause: error });
  }
  return architecture;
}

/**
 * A model's weights from the matrices of its files.
 * @throws ImportError when tensors are missing, have another shape than the dimensions say, or are none of the family's; `rows` throws one for weights
 * that are not finite
 */
export function checkedWeights(architecture: Architecture, find: (name: WeightName) => StoredMatrix | undefined): WeightSource {
  const matrices = new Map<string, StoredMatrix>();
  const problems: string[] = [];
  for (const name of weightNames(architecture.layers)) {
    const matrix = find(name);
    const shape = weightShape(architecture, name);
    if (matrix === undefined) {
      if (shape !== undefined && !isOptional(architecture, name.tensor)) problems.push(`${describeWeight(name)} is missing`);
    } else if (shape === undefined) problems.push(`${matrix.name}: models of this family have no ${name.tensor}`);
    else if (matrix.rows !== shape.rows || matrix.columns !== shape.columns) problems.push(`${matrix.name} has ${matrix.rows} × ${matrix.columns} elements, not ${shape.rows} × ${shape.columns}`);
    else matrices.set(describeWeight(name), matrix);
  }
  if (problems.length > 0) throw new ImportError(`the model's tensors do not fit its dimensions: ${listed(problems)}`);
  return {
    architecture,
    shape: (name) => {
      const matrix = matrices.get(describeWeight(name));
      return matrix === undefined ? undefined : { rows: matrix.rows, columns: matrix.columns };
    },
    rows: async (name, from, to) => {
      const matrix = matrices.get(describeWeight(name));
      if (matrix === undefined) throw new RangeError(`the model has no tensor ${describeWeight(name)}`);
      const values = await matrix.read(from, to);
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) throw new ImportError(`tensor ${matrix.name} has the element ${values[index]} in row ${from + Math.floor(index / matrix.columns)}: weights must be finite`);
      return values;
    },
  };
}
