import type { Architecture, WeightName } from '../kernels/language-model/architecture.ts';
import type { Random } from './random.ts';

/** One tensor among a model's parameters, which lie in one run of floats. */
export interface Parameter {
  readonly name: WeightName;
  readonly rows: number;
  readonly columns: number;
  /** Floats before it. */
  readonly start: number;
}

/** One layer's tensors. */
export interface LayerParameters {
  readonly attentionNorm: Parameter;
  readonly query: Parameter;
  readonly key: Parameter;
  readonly value: Parameter;
  readonly attentionOutput: Parameter;
  readonly feedForwardNorm: Parameter;
  readonly gate: Parameter;
  readonly up: Parameter;
  readonly down: Parameter;
}

/** Where all tensors of a Llama-family model lie whose embedding serves as its output too. */
export interface Parameters {
  readonly embedding: Parameter;
  readonly layers: readonly LayerParameters[];
  readonly finalNorm: Parameter;
  /** All of them, in their order. */
  readonly all: readonly Parameter[];
  /** Floats in all. */
  readonly size: number;
}

/** Lays the tensors out one after another. */
export function layOutParameters({ vocabulary, width, hidden, layers, heads, keyValueHeads, headSize }: Architecture): Parameters {
  const all: Parameter[] = [];
  let size = 0;
  const tensor = (name: WeightName, rows: number, columns: number): Parameter => {
    const parameter = { name, rows, columns, start: size };
    size += rows * columns;
    all.push(parameter);
    return parameter;
  };
  const embedding = tensor({ tensor: 'embedding' }, vocabulary, width);
  const list = Array.from({ length: layers }, (_, layer): LayerParameters => ({
    attentionNorm: tensor({ tensor: 'attentionNorm', layer }, 1, width),
    query: tensor({ tensor: 'query', layer }, heads * headSize, width),
    key: tensor({ tensor: 'key', layer }, keyValueHeads * headSize, width),
    value: tensor({ tensor: 'value', layer }, keyValueHeads * headSize, width),
    attentionOutput: tensor({ tensor: 'attentionOutput', layer }, width, heads * headSize),
    feedForwardNorm: tensor({ tensor: 'feedForwardNorm', layer }, 1, width),
    gate: tensor({ tensor: 'gate', layer }, hidden, width),
    up: tensor({ tensor: 'up', layer }, hidden, width),
    down: tensor({ tensor: 'down', layer }, width, hidden),
  }));
  const finalNorm = tensor({ tensor: 'finalNorm' }, 1, width);
  return { embedding, layers: list, finalNorm, all, size };
}

/**
 * Random values to start with: norms are 1, matrices normal with deviation 0.7/√columns, those that write into the residual stream smaller by
 * √(2·layers), as GPT-2 does (Radford et al. 2019, section 2.3).
 */
export function initialParameters({ all, layers, size }: Parameters, random: Random): Float32Array {
  const values = new Float32Array(size);
  for (const { name, rows, columns, start } of all) {
    if (rows === 1) {
      values.fill(1, start, start + columns);
      continue;
    }
    const intoResidual = name.tensor === 'attentionOutput' || name.tensor === 'down';
    const deviation = name.tensor === 'embedding' ? 0.05 : (intoResidual ? 1 / Math.sqrt(2 * layers.length) : 1) / Math.sqrt(columns) * 0.7;
    for (let index = 0; index < rows * columns; index += 1) values[start + index] = deviation * random.normal();
  }
  return values;
}
