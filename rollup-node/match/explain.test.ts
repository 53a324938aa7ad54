import { expect, test } from 'vitest';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { slotOf } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { Opcode } from '../../deterministic-runtime/word-code/instruction.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel, operatorNamed } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { tokenLoop } from '../../test/models/token-loop.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { explainStep } from './explain.ts';

/** The `number`th step of a slot's tensor, from 0, that has the opcode. */
function stepWith(trace: Trace, slot: number, op: number, number = 0): bigint {
  let left = number;
  for (let step = trace.startOf(slot, 0); trace.locate(step)?.slot === slot; step += 1n) {
    if (trace.locate(step)?.instruction.op !== op) continue;
    if (left === 0) return step;
    left -= 1;
  }
  throw new Error(`slot ${slot} has no such instruction`);
}

test('a network without a body: the operator, and what is read', async () => {
  const model = tinyModel();
  const trace = await openTrace({ prepared: await createWasmExecutor().prepare(model), input: packTensor(model.program.input, new Uint8Array(64)) });
  expect(explainStep(trace, stepWith(trace, 1, Opcode.LOADWORD, 0)).where).toBe('operator logits');
  const loads = [0, 1, 2, 3].map((number) => explainStep(trace, stepWith(trace, 1, Opcode.LOADWORD, number)).reads);
  expect(loads).toEqual(["word 0 of signed's output", 'word 0 of constant 0', "word 1 of signed's output", 'word 1 of constant 0']);
  expect(() => explainStep(trace, trace.steps)).toThrow('ends before step');
});

test('a body: iterations of what it reads and of what it is in', async () => {
  const model = tokenLoop();
  const trace = await openTrace({ prepared: await createWasmExecutor().prepare(model), input: packTensor(model.program.input, new Uint8Array(40)) });
  const attention = slotOf(model.program, 'body', 2, 4);
  const { where, iteration } = explainStep(trace, trace.startOf(attention, 0));
  expect({ where, iteration }).toEqual({ where: 'operator scores, iteration 4', iteration: 4 });
  // A row of keys has two words, and each is multiplied with the query's: 4 loads an iteration.
  const steps = [1, 5, 3].map((number) => explainStep(trace, stepWith(trace, attention, Opcode.LOADWORD, number)));
  expect(steps.map(({ reads }) => reads)).toEqual(["word 0 of keys's output in iteration 0", "word 0 of keys's output in iteration 1", "word 1 of keys's output in iteration 0"]);
  expect(steps[0]?.text).toMatch(/^v\d = word r?i?\d+ of keys, iteration (r|i)\d+$/);
  expect(explainStep(trace, trace.startOf(0, 0)).where).toBe('operator start, before the first iteration');
  expect(explainStep(trace, trace.startOf(slotOf(model.program, 'epilogue', 0), 0)).where).toBe('operator total, after the last iteration');
});

test('a language model: which token goes in, and which is chosen', async () => {
  const model = await buildLanguageModel(randomWeights({
    family: 'llama', vocabulary: 64, width: 32, hidden: 32, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 16, normEpsilon: 1e-5,
    rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [],
  }), { promptLimit: 6, newTokenLimit: 6, sampling: false });
  const trace = await openTrace({ prepared: await createWasmExecutor().prepare(model), input: encodePrompt(model, [1, 9, 7]) });
  const at = (iteration: number): string => explainStep(trace, trace.startOf(slotOf(model.program, 'body', operatorNamed(model, 'logits'), iteration), 0)).where;
  expect([0, 2, 3, 7].map(at)).toEqual([
    "operator logits, iteration 0: token 1 of the prompt's 3 goes in",
    "operator logits, iteration 2: token 3 of the prompt's 3 goes in, token 1 of the answer is chosen",
    'operator logits, iteration 3: token 1 of the answer goes in, token 2 is chosen',
    'operator logits, iteration 7: token 5 of the answer goes in, token 6 is chosen',
  ]);
});
