import { decodeAbiParameters, keccak256 } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { storybookAbi } from '../../contracts/abi/generated.ts';
import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { decodePrompt, nextTokenOperator } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { MEMBERS } from './dapp.ts';
import { STORYBOOK } from './storybook.ts';
import type { Devnet } from '../devnet.ts';
import type { FaultChooser } from '../inference/inference.ts';
import { resultElements } from '../model-call.ts';
import { delivered, until, warp } from '../testing/requests.ts';
import { executor, otherExecutor, useDevnet } from '../testing/small-devnet.ts';

const ARCHITECTURE: Architecture = {
  family: 'llama', vocabulary: 256, width: 32, hidden: 32, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 24,
  normEpsilon: 1e-5, rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [],
};
const PROMPT = [7, 130, 201];
const NEW_TOKENS = 6;
const start = useDevnet();
let model: Model;

beforeAll(async () => {
  model = await buildLanguageModel(randomWeights(ARCHITECTURE, 4), { promptLimit: 8, newTokenLimit: NEW_TOKENS });
});

/** What the model answers to a prompt by itself: the numbers of the tokens, each plus 1. */
async function expected(words: Uint8Array): Promise<number[]> {
  const { output } = await (await otherExecutor().prepare(model)).run(words);
  const view = new DataView(output.buffer, output.byteOffset);
  return Array.from({ length: NEW_TOKENS }, (_, index) => view.getInt32(index * 4, true));
}

/** Another token than the model's at the answer's second place. */
const otherToken: FaultChooser = async ({ prepared, input, seed, model: { encoded: { model: { program } } } }) => {
  const slot = slotOf(program, 'body', nextTokenOperator(program)!, decodePrompt(model, input).length);
  const value = (await prepared.run(input, { seed, keep: 'all' })).tensor(slot)!.slice(0, 32);
  value[0] = value[0] === 5 ? 6 : 5;
  value[1] = 0;
  return { kind: 'word', slot, word: 0, value };
};

/** Begins a story with the prompt; gives its id and the continuation that the model has for it. */
async function begin(net: Devnet): Promise<{ readonly storyId: `0x${string}`; readonly answer: readonly number[] }> {
  const [published] = net.models;
  const site = { client: net.client, address: published!.dApp!, model: published! };
  const storyId = await STORYBOOK.ask(site, net.wallet(MEMBERS.Ada), JSON.stringify(PROMPT));
  const words = new Uint8Array(Math.ceil(((4 + 8) * 4) / 32) * 32);
  const view = new DataView(words.buffer);
  PROMPT.forEach((token, index) => view.setInt32((4 + index) * 4, token + 1, true));
  return { storyId, answer: await expected(words) };
}

/** Whether the storybook was called back with an answer: it logs it, and keeps its hash. */
async function checkContinued(net: Devnet, storyId: `0x${string}`, answer: readonly number[]): Promise<void> {
  const book = { address: net.models[0]!.dApp!, abi: storybookAbi } as const;
  const [event] = await net.client.getContractEvents({ ...book, eventName: 'Continued', args: { storyId }, fromBlock: 0n, strict: true });
  expect(decodeAbiParameters([{ type: 'int32[]' }], event!.args.continuation)[0]).toEqual(answer);
  expect(await net.client.readContract({ ...book, functionName: 'storyOf', args: [storyId] })).toMatchObject({ continuation: keccak256(event!.args.continuation) });
}

describe('a storybook that a language model continues', () => {
  test('is called back with the tokens that the model gives', async () => {
    const net = await start({ models: [{ model, fee: 10n ** 15n }] });
    const { storyId, answer } = await begin(net);
    await until(async () => (await net.sequencer.context.store.list('assertions')).length > 0, 'the answer asserted', 60_000);
    await warp(net, 300);
    const { delivery } = await delivered(net.sequencer, storyId, 60_000);
    expect(new Int32Array(resultElements(model.program.signature, delivery!.result).slice().buffer)).toEqual(Int32Array.from(answer));
    await checkContinued(net, storyId, answer);
  });

  test('gets the right continuation when a sequencer lies about one token of it', async () => {
    const net = await start({ models: [{ model, fee: 10n ** 15n }], fault: otherToken, watcherExecutor: executor() });
    const { storyId, answer } = await begin(net);
    const watcher = net.watcher!;
    const dispute = await until(async () => (await watcher.context.store.list('disputes')).find(({ value }) => value.settled)?.value, 'dispute settled', 90_000);
    expect(dispute).toMatchObject({ phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/) });
    await until(async () => (await watcher.context.store.list('assertions')).length > 1, 'the right answer asserted', 60_000);
    await warp(net, 300);
    await delivered(watcher, storyId, 60_000);
    await checkContinued(net, storyId, answer);
  });
});
