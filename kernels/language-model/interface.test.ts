import { expect, test } from 'vitest';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../program-builder.ts';
import { fromUnsigned } from '../requantize.ts';
import { promptIterations } from './interface.ts';

test('a model whose metadata say that its 21 bytes are tokens can be run and checked all the same', () => {
  const shape = { element: 'i8', rows: 1, columns: 21 } as const;
  const builder = new ProgramBuilder({ name: 'liar', signature: 'f(int8[21])->(int8[21])', input: shape, metadata: { input: { kind: 'tokens' }, languageModel: { nextOperator: 0 } } });
  builder.append('copy', { kernel: fromUnsigned, output: shape, operands: [builder.input] });
  const model: Model = builder.build();
  // Four settings, one number, and a byte that is none.
  expect(promptIterations(model, packTensor(shape, new Uint8Array(21).fill(1)))).toBe(1);
});
