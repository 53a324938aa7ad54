import { RANGE, STEP_BITS, TABLE_BITS } from '../gated.ts';
import type { ProgramBuilder, Tensor } from '../program-builder.ts';
import { ROTARY_BITS } from '../rotary.ts';
import type { Architecture, Rotary } from './architecture.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** What x is multiplied with: SiLU is x · σ(x); GELU's tanh form (arXiv 1606.08415) is x · σ(2 √(2/π) (x + 0.044715 x³)). */
const FACTORS: Readonly<Record<Architecture['family'], (x: number) => number>> = {
  llama: sigmoid,
  gpt2: (x) => sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
};

/** The table of a family's activation, for `gated` and `activated`. */
export function activationTable(builder: ProgramBuilder, family: Architecture['family']): Tensor {
  const entries = 2 * RANGE * 2 ** STEP_BITS + 1;
  const factor = FACTORS[family];
  return builder.integers(1, entries, Int32Array.from({ length: entries }, (_, index) => Math.round(factor(index / 2 ** STEP_BITS - RANGE) * 2 ** TABLE_BITS)));
}

/** Cosines and signed sines of all positions, for `rotary`. */
export function rotaryTables(builder: ProgramBuilder, { base, pairs }: Rotary, positions: number, headSize: number): { readonly cosines: Tensor; readonly sines: Tensor } {
  const [cosines, sines] = [new Int32Array(positions * headSize), new Int32Array(positions * headSize)];
  for (let position = 0; position < positions; position += 1) {
    for (let column = 0; column < headSize; column += 1) {
      const [pair, isFirst] = pairs === 'adjacent' ? [column >> 1, column % 2 === 0] : [column % (headSize / 2), column < headSize / 2];
      const angle = position * base ** ((-2 * pair) / headSize);
      cosines[position * headSize + column] = Math.round(Math.cos(angle) * 2 ** ROTARY_BITS);
      sines[position * headSize + column] = Math.round((isFirst ? -1 : 1) * Math.sin(angle) * 2 ** ROTARY_BITS);
    }
  }
  return { cosines: builder.integers(positions, headSize, cosines), sines: builder.integers(positions, headSize, sines) };
}
