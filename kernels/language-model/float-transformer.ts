import type { Architecture, WeightName, WeightSource } from './architecture.ts';

/** Most weights: they are kept as 32-bit floats. */
const LARGEST = 2 ** 30;

interface Matrix { readonly rows: number; readonly columns: number; readonly elements: Float32Array }

/** Gives the logits after one more token. @throws RangeError for a token that the vocabulary has not, and for more tokens than the context holds */
export type FloatTransformer = (token: number) => Float64Array;

/**
 * A decoder-only transformer in 64-bit floats, written from the papers' formulas (llama2.c's run.c and OpenAI's gpt-2 model.py compute the same): what
 * the integer program is compared with. All weights are in memory. Each call of the result starts a text.
 * @throws RangeError for more weights than `LARGEST`, or when tensors are missing
 */
export async function loadFloatTransformer(source: WeightSource): Promise<() => FloatTransformer> {
  const { architecture } = source;
  let left = LARGEST;
  const load = async (name: WeightName): Promise<Matrix | undefined> => {
    const shape = source.shape(name);
    if (shape === undefined) return undefined;
    left -= shape.rows * shape.columns;
    if (left < 0) throw new RangeError(`the float model has more than ${LARGEST} weights, which is more than is run in plain floats`);
    return { ...shape, elements: await source.rows(name, 0, shape.rows) };
  };
  const tensors = new Map<string, Matrix>();
  const keep = async (name: WeightName): Promise<void> => {
    const matrix = await load(name);
    if (matrix !== undefined) tensors.set('layer' in name ? `${name.tensor} ${name.layer}` : name.tensor, matrix);
  };
  for (const tensor of ['embedding', 'positions', 'finalNorm', 'finalNormBias', 'output'] as const) await keep({ tensor });
  for (let layer = 0; layer < architecture.layers; layer += 1) {
    for (const tensor of [
      'attentionNorm', 'attentionNormBias', 'query', 'key', 'value', 'attentionOutput', 'queryBias', 'keyBias', 'valueBias', 'attentionOutputBias',
      'feedForwardNorm', 'feedForwardNormBias', 'gate', 'up', 'down', 'upBias', 'downBias',
    ] as const) await keep({ tensor, layer });
  }
  return () => textOf(architecture, tensors);
}

function textOf(architecture: Architecture, tensors: ReadonlyMap<string, Matrix>): FloatTransformer {
  const { family, vocabulary, width, context, layers, heads, keyValueHeads, headSize, normEpsilon, rotary } = architecture;
  const isLlama = family === 'llama';
  const get = (name: string): Matrix => {
    const matrix = tensors.get(name);
    if (matrix === undefined) throw new RangeError(`no tensor ${name}`);
    return matrix;
  };
  const rowOf = ({ columns, elements }: Matrix, row: number): Float64Array => Float64Array.from(elements.subarray(row * columns, (row + 1) * columns));
  const multiply = (name: string, x: Float64Array, bias?: string): Float64Array => {
    const { rows, columns, elements } = get(name);
    const added = bias === undefined ? undefined : tensors.get(bias)?.elements;
    return Float64Array.from({ length: rows }, (_, row) => {
      let total = added?.[row] ?? 0;
      for (let column = 0; column < columns; column += 1) total += elements[row * columns + column]! * x[column]!;
      return total;
    });
  };
  const norm = (x: Float64Array, gain: string, bias: string): Float64Array => {
    const mean = isLlama ? 0 : x.reduce((total, value) => total + value, 0) / x.length;
    const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / x.length;
    const factor = 1 / Math.sqrt(variance + normEpsilon);
    const [gains, biases] = [get(gain).elements, tensors.get(bias)?.elements];
    return x.map((value, index) => (value - mean) * factor * gains[index]! + (biases?.[index] ?? 0));
  };
  const rotate = (x: Float64Array, count: number, position: number): void => {
    if (!isLlama || rotary === undefined) return;
    for (let head = 0; head < count; head += 1) {
      for (let pair = 0; pair < headSize / 2; pair += 1) {
        const [first, second] = rotary.pairs === 'adjacent' ? [2 * pair, 2 * pair + 1] : [pair, pair + headSize / 2];
        const angle = position * rotary.base ** ((-2 * pair) / headSize);
        const [a, b] = [x[head * headSize + first]!, x[head * headSize + second]!];
        x[head * headSize + first] = a * Math.cos(angle) - b * Math.sin(angle);
        x[head * headSize + second] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    }
  };
  const silu = (x: number): number => x / (1 + Math.exp(-x));
  const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const keys: Float64Array[][] = Array.from({ length: layers }, () => []);
  const values: Float64Array[][] = Array.from({ length: layers }, () => []);
  let position = 0;

  const attend = (query: Float64Array, layer: number): Float64Array => {
    const result = new Float64Array(heads * headSize);
    for (let head = 0; head < heads; head += 1) {
      const offset = Math.floor(head / (heads / keyValueHeads)) * headSize;
      const scores = keys[layer]!.map((key) => {
        let total = 0;
        for (let index = 0; index < headSize; index += 1) total += query[head * headSize + index]! * key[offset + index]!;
        return total / Math.sqrt(headSize);
      });
      const greatest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - greatest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, time) => {
        for (let index = 0; index < headSize; index += 1) result[head * headSize + index]! += (weight / total) * values[layer]![time]![offset + index]!;
      });
    }
    return result;
  };

  return (token) => {
    if (!Number.isInteger(token) || token < 0 || token >= vocabulary) throw new RangeError(`${token} is no token of the float model: they are 0 to ${vocabulary - 1}`);
    if (position >= context) throw new RangeError(`the float model has a context of ${context} tokens`);
    let x = rowOf(get('embedding'), token);
    if (!isLlama) {
      const learned = rowOf(get('positions'), position);
      x = x.map((value, index) => value + learned[index]!);
    }
    for (let layer = 0; layer < layers; layer += 1) {
      const input = norm(x, `attentionNorm ${layer}`, `attentionNormBias ${layer}`);
      const [query, key, value] = (['query', 'key', 'value'] as const).map((part) => multiply(`${part} ${layer}`, input, `${part}Bias ${layer}`)) as [Float64Array, Float64Array, Float64Array];
      rotate(query, heads, position);
      rotate(key, keyValueHeads, position);
      keys[layer]!.push(key);
      values[layer]!.push(value);
      const attended = multiply(`attentionOutput ${layer}`, attend(query, layer), `attentionOutputBias ${layer}`);
      x = x.map((element, index) => element + attended[index]!);
      const inner = norm(x, `feedForwardNorm ${layer}`, `feedForwardNormBias ${layer}`);
      const up = multiply(`up ${layer}`, inner, `upBias ${layer}`);
      const hidden = isLlama ? multiply(`gate ${layer}`, inner).map((gate, index) => silu(gate) * up[index]!) : up.map(gelu);
      const down = multiply(`down ${layer}`, hidden, `downBias ${layer}`);
      x = x.map((element, index) => element + down[index]!);
    }
    if (x.length !== width) throw new RangeError('the residual stream has lost its width');
    position += 1;
    return multiply(tensors.has('output') ? 'output' : 'embedding', norm(x, 'finalNorm', 'finalNormBias'));
  };
}
