import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Hex } from 'viem';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import type { FaultChooser } from '../../rollup-node/inference/inference.ts';
import { tokenizerOf } from '../../rollup-node/language-model.ts';
import { importModelFile } from '../../rollup-node/model-import.ts';
import { requestElements } from '../../rollup-node/model-values.ts';
import { temporaryFolder } from './assay.ts';
import { llama2cFile, tokenizerFile } from './language-model-files.ts';
import { openScriptedRollup } from './scripted-games.ts';
import type { ScriptedRollup } from './scripted-games.ts';
import { tellGame } from './tell-game.ts';

const PROMPT = 'Hi';
/** Of the answer: the one that the liar changes. */
const LIE = 2;
/** What the liar puts in its place: the byte of a letter. */
const LIED_TOKEN = 3 + 'Z'.charCodeAt(0);

const at = temporaryFolder();
let rollup: ScriptedRollup;
let model: Model;
let prompt: readonly number[];
let operator: number;
let iteration: number;
let gameId: Hex;

/** Another token than the model's, in the iteration that chooses the answer's second. */
const lie: FaultChooser = () => {
  const value = new Uint8Array(32);
  value[0] = LIED_TOKEN;
  return { kind: 'word', slot: slotOf(model.program, 'body', operator, iteration), word: 0, value };
};

beforeAll(async () => {
  await writeFile(at('tiny.bin'), await llama2cFile());
  await writeFile(at('tokenizer.bin'), tokenizerFile());
  ({ model } = await importModelFile(at('tiny.bin'), { promptLimit: 8, newTokens: 4 }));
  prompt = tokenizerOf(model)!.prompt(PROMPT);
  operator = model.program.body.findIndex(({ name }) => name === 'next');
  iteration = prompt.length - 1 + (LIE - 1);
  rollup = await openScriptedRollup(model, lie);
  // Both carriers: the challenge is in a blob of 4,096 segments, what follows it in calldata.
  gameId = await rollup.challenge(requestElements(model, encodePrompt(model, prompt, { maximumTokens: 4 })), 'blob');
  await rollup.playOn(gameId);
}, 90_000);
afterAll(() => rollup?.stop());

test('operator, token and element of the instruction, and the right value', async () => {
  expect(operator).toBeGreaterThanOrEqual(0);
  const { story, text } = await tellGame(rollup, gameId);
  const honest = await rollup.trace(gameId, 'challenger');
  const right = new DataView(honest.tensors.slot(slotOf(model.program, 'body', operator, iteration))!.slice(0, 4).buffer).getInt32(0, true);
  expect(right).not.toBe(LIED_TOKEN);
  expect(story).toMatchObject({
    honest: 'challenger', unknown: [], request: { text: expect.stringContaining(PROMPT) },
    instruction: { operator: 'next', section: 'body', iteration, row: 0, column: 0, result: { name: 'the stored word' }, where: `operator next, iteration ${iteration}: token ${LIE - 1} of the answer goes in, token ${LIE} is chosen` },
  });
  // The word's first element is the token that the honest run chose.
  expect(story.instruction?.result?.value).toMatch(new RegExp(`^\\[${right}[,\\]]`));
  expect(story.instruction?.claims.asserter).not.toBe(story.instruction?.claims.right);
  expect(text).toContain(`operator next, iteration ${iteration}: token ${LIE - 1} of the answer goes in, token ${LIE} is chosen: row 0, column 0 of its output`);
  expect(text).toMatch(/\(from operator \S+, iteration \d+ to operator \S+, iteration \d+\)|\(in operator \S+, iteration \d+\)/);
}, 30_000);

test('without the files and the blob: what the moves disputed, and number, iteration and values by the proof alone', async () => {
  const [{ story }, { story: bare, text }] = await Promise.all([tellGame(rollup, gameId), tellGame(rollup, gameId, { files: false, beacon: false })]);
  expect(story.moves.length).toBeGreaterThan(2);
  // The answer is about a segment of the blob, which its call names.
  expect(bare.moves.map(({ disputes }) => [disputes?.start, disputes?.end])).toEqual(story.moves.map(({ disputes }) => [disputes?.start, disputes?.end]));
  for (const { disputes } of story.moves.slice(1)) expect(disputes?.end).toMatch(/^0x[0-9a-f]{64}$/);
  expect(bare.instruction).toMatchObject({ operator: `number ${operator} of the body`, iteration, step: story.instruction!.step, result: story.instruction!.result, reads: story.instruction!.reads, claims: story.instruction!.claims });
  expect(text).toContain(`operator ${operator} of the body, iteration ${iteration}`);
  expect(bare.unknown).toHaveLength(2);
});
