import type { WeightSource } from '../../kernels/language-model/architecture.ts';

/**
 * Weights rounded as an integer program holds them: matrices to so many bits, each row in units of which its greatest magnitude is the limit. What differs
 * between these in floats and the program is the program's arithmetic alone.
 */
export function roundedWeights(source: WeightSource, tokenWeightBits: 8 | 16): WeightSource {
  return {
    ...source,
    rows: async (name, from, to) => {
      const elements = await source.rows(name, from, to);
      const columns = source.shape(name)!.columns;
      if (name.tensor.endsWith('Norm') || name.tensor.endsWith('Bias')) return elements;
      const isWide = name.tensor === 'positions' || ((name.tensor === 'embedding' || name.tensor === 'output') && tokenWeightBits === 16);
      const limit = isWide ? 127 * 256 + 127 : 127;
      const rounded = new Float32Array(elements.length);
      for (let start = 0; start < elements.length; start += columns) {
        const row = elements.subarray(start, start + columns);
        const step = Math.max(...row.map(Math.abs)) / limit;
        row.forEach((value, column) => { rounded[start + column] = step === 0 ? 0 : Math.round(value / step) * step; });
      }
      return rounded;
    },
  };
}
