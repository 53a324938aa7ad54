import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Address } from 'viem';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { placeOf, slotOf } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { Opcode } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Role } from '../../fraud-proof/dispute/player.ts';
import { hashState } from '../../fraud-proof/machine/state.ts';
import { verifyStep } from '../../fraud-proof/machine/verify.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { decodeTokens, encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel, operatorNamed } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { openArena } from '../../rollup-node/match/arena.ts';
import type { Arena } from '../../rollup-node/match/arena.ts';
import { explainStep } from '../../rollup-node/match/explain.ts';
import { playMatch } from '../../rollup-node/match/match.ts';

const ITERATIONS = 512;
/** The iteration that chooses the end token: the sixth token behind a prompt of three. */
const LAST = 7;
const SETTINGS = { temperature: 1.5, topK: 30 };

const build = (endTokens: readonly number[]): Promise<Model> => buildLanguageModel(randomWeights({
  family: 'llama', vocabulary: 64, width: 32, hidden: 32, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: ITERATIONS, normEpsilon: 1e-5,
  rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens,
}), { promptLimit: 8, newTokenLimit: ITERATIONS - 7 });

/** A model and a prompt whose answer ends by its end token in iteration `LAST`. */
async function modelThatStops(): Promise<{ readonly prepared: PreparedModel; readonly input: Uint8Array; readonly answer: readonly number[] }> {
  const executor = createWasmExecutor();
  const endless = await executor.prepare(await build([]));
  for (let first = 2; first < 64; first += 1) {
    const prompt = [1, first, 5];
    const answer = decodeTokens(endless.model, (await endless.run(encodePrompt(endless.model, prompt, { ...SETTINGS, maximumTokens: LAST - 1 }))).output);
    if (answer.indexOf(answer[LAST - 2]!) !== LAST - 2) continue;
    const prepared = await executor.prepare(await build([answer[LAST - 2]!]));
    return { prepared, input: encodePrompt(prepared.model, prompt, SETTINGS), answer };
  }
  throw new Error('no prompt has an answer whose sixth token is a new one');
}

describe('a generation that stops in iteration 7 of 512', () => {
  let arena: Arena;
  let contract: Address;
  let prepared: PreparedModel;
  let input: Uint8Array;
  let answer: readonly number[];
  let honest: Trace;

  beforeAll(async () => {
    ({ prepared, input, answer } = await modelThatStops());
    honest = await openTrace({ prepared, input });
    arena = await openArena();
    contract = await arena.register(encodeModel(prepared.model));
  }, 60_000);
  afterAll(() => arena.close());

  /** The slot of a body operator's tensor. */
  const slot = (name: string, iteration: number): number => slotOf(prepared.model.program, 'body', operatorNamed(prepared.model, name), iteration);
  const word = (...numbers: number[]): Uint8Array => new Uint8Array(Int32Array.from({ length: 8 }, (_, index) => numbers[index] ?? 0).buffer);
  const tokensSlot = (): number => slotOf(prepared.model.program, 'epilogue', prepared.model.program.epilogue.length - 1);

  test('has an answer of six tokens', () => {
    expect(honest.tensors.iterations).toBe(LAST + 1);
    expect(decodeTokens(prepared.model, honest.output)).toEqual(answer);
    expect(honest.finishedAfter).toBeLessThan(honest.steps);
  });

  test('has a state and a proof at every position: before the stop, at it, and behind it', () => {
    const stopped = honest.startOf(slot('stop', LAST), 0);
    const end = honest.finishedAfter;
    for (const step of [0n, stopped - 1n, stopped, honest.startOf(tokensSlot(), 0) - 1n, honest.startOf(tokensSlot(), 0), end - 1n, end, end + 1n, (end + honest.steps) / 2n, honest.steps - 1n]) {
      const [before, after] = honest.states([step, step + 1n]);
      expect(verifyStep(hashState(before!), honest.prove(step).proof), String(step)).toEqual(hashState(after!));
      expect(hashState(before!).every((byte, index) => byte === hashState(after!)[index]), String(step)).toBe(step >= end);
    }
    expect(honest.locate(honest.startOf(tokensSlot(), 0) - 1n)?.slot).toBe(slot('stop', LAST));
  });

  const lies: readonly (readonly [string, Role, () => Fault & { readonly kind: 'word' }])[] = [
    ['goes on where it stops', 'asserter', () => ({ kind: 'word', slot: slot('stop', LAST), word: 0, value: word(0) })],
    ['goes on where it stops', 'challenger', () => ({ kind: 'word', slot: slot('stop', LAST), word: 0, value: word(0) })],
    ['stops too early', 'asserter', () => ({ kind: 'word', slot: slot('stop', 4), word: 0, value: word(1) })],
    ['stops too early', 'challenger', () => ({ kind: 'word', slot: slot('stop', 4), word: 0, value: word(1) })],
    ['has another token before the stop', 'asserter', () => ({ kind: 'word', slot: slot('next', 5), word: 0, value: word((answer[3]! + 1) % 64 + 1) })],
    ['has another token in the place of the end token, and goes on', 'challenger', () => ({ kind: 'word', slot: slot('next', LAST), word: 0, value: word((answer[5]! + 1) % 64 + 1) })],
    ['adds a token behind the end', 'asserter', () => ({ kind: 'word', slot: tokensSlot(), word: 0, value: word(...answer.map((token) => token + 1), 9) })],
    ['leaves the last token out', 'challenger', () => ({ kind: 'word', slot: tokensSlot(), word: 0, value: word(...answer.slice(0, -1).map((token) => token + 1)) })],
    ['has tokens far behind the end', 'asserter', () => ({ kind: 'word', slot: tokensSlot(), word: 40, value: word(1, 2, 3) })],
    ['says that the prompt is shorter', 'challenger', () => ({ kind: 'word', slot: 0, word: 0, value: word(2) })],
  ];

  test.each(lies)('a liar that %s, as %s, loses at that STORE', async (_, liar, faultOf) => {
    const fault = faultOf();
    const result = await playMatch(arena, { prepared, contract, input, liar, fault, seed: 1n });
    expect(result.winner).toBe(liar === 'asserter' ? 'challenger' : 'asserter');
    const location = honest.locate(result.step);
    expect({ slot: location?.slot, word: location?.word, op: location?.instruction.op }).toEqual({ slot: fault.slot, word: fault.word, op: Opcode.STORE });
    expect(explainStep(honest, result.step).operator).toBe(placeOf(prepared.model.program, fault.slot).operator.name);
  }, 60_000);
});
