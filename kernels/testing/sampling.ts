import { i32, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { int32 } from '../../deterministic-runtime/language/scalar.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../program-builder.ts';
import type { Tensor } from '../program-builder.ts';
import { appendSampling } from '../sampling.ts';

const rowOf = kernel('row-of', { operands: { x: i32 }, parameters: ['from'], output: i32, element: ({ column, operands: { x }, parameters: { from } }) => x.at(from, column) });
const never = kernel('never', { operands: {}, output: i32, element: () => int32(0) });
const collect = kernel('collect', { operands: { token: i32 }, output: i32, element: ({ column, operands: { token } }) => token.at(0, 0, { iteration: column }) });

/** A program that samples `draws` times from the logits and by the settings of its input (`samplingInput`), and gives all tokens. */
export function samplingModel(tokens: number, draws: number): Model {
  const input = { element: 'i32', rows: 2, columns: Math.max(tokens, 4) } as const;
  const builder = new ProgramBuilder({ name: 'sampling', signature: 'sample()->()', input, metadata: {} });
  builder.beginBody(draws);
  const row = (name: string, from: number, columns: number): Tensor =>
    builder.append(name, { kernel: rowOf, output: { element: 'i32', rows: 1, columns }, operands: [builder.input], parameters: { from } });
  const token = appendSampling(builder, { logits: row('logits', 0, tokens), settings: row('settings', 1, 4), seed: builder.seed });
  builder.append('stop', { kernel: never, output: { element: 'i32', rows: 1, columns: 1 }, operands: [] });
  builder.beginEpilogue();
  builder.append('tokens', { kernel: collect, output: { element: 'i32', rows: 1, columns: draws }, operands: [token] });
  return builder.build();
}

/** The input's padded words. */
export function samplingInput(logits: readonly number[], temperature: number, topK: number, topP: number): Uint8Array {
  const columns = Math.max(logits.length, 4);
  const values = new Int32Array(2 * columns);
  values.set(logits);
  values.set([0, temperature, topK, topP], columns);
  return packTensor({ element: 'i32', rows: 2, columns }, new Uint8Array(values.buffer));
}
