import { bytesToHex, encodeFunctionData, hexToBytes, size, slice } from 'viem';
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { startProxy } from '../../rollup-node/testing/proxy.ts';
import { image, model } from '../../rollup-node/testing/small-devnet.ts';
import { assay, temporaryFolder } from './assay.ts';
import { openScriptedRollup } from './scripted-games.ts';
import type { ScriptedRollup } from './scripted-games.ts';
import { tellGame } from './tell-game.ts';
import type { Told } from './tell-game.ts';

const at = temporaryFolder();
let rollup: ScriptedRollup;

beforeAll(async () => {
  await writeBundleDirectory(at('tiny'), model);
  rollup = await openScriptedRollup(model);
}, 60_000);
afterAll(() => rollup?.stop());

const tell = (gameId: Hex, known?: Parameters<typeof tellGame>[2]): Promise<Told> => tellGame(rollup, gameId, known);

describe('claims in a blob', () => {
  let gameId: Hex;
  beforeAll(async () => {
    // The challenger has a state every few dozen steps; the liar's answer, in a blob, one after every step.
    gameId = await rollup.challenge(image(1));
    await rollup.turn(gameId, 'blob');
  }, 60_000);

  /** The blob's words, as the chain gives them. */
  async function blobWords(hash: Hex): Promise<readonly Hex[]> {
    const blob = (await rollup.devnet.client.request({ method: 'anvil_getBlobByHash', params: [hash] } as never)) as unknown as Hex;
    expect(size(blob)).toBe(131_072);
    return Array.from({ length: 64 }, (_, index) => slice(blob, 32 * index, 32 * (index + 1)));
  }

  test('with a beacon node: each of them, and the instruction that a running game will come down to', async () => {
    const { story, text } = await tell(gameId);
    const answered = story.moves[1]!;
    const segments = Number(answered.length);
    expect(answered).toMatchObject({ kind: 'answer', carrier: 'blob', claimsRead: true, segments, disputes: { startRight: true, endRight: true } });
    expect(story.unknown).toEqual([]);
    // Both parties' own runs: the blob has the liar's states, and those are called wrong that the honest run does not have.
    const [honest, liar] = await Promise.all([rollup.trace(gameId, 'challenger'), rollup.trace(gameId, 'asserter')]);
    const steps = Array.from({ length: segments }, (_, index) => BigInt(answered.start) + BigInt(index) + 1n);
    const [right, lied] = await Promise.all([honest.stateAt(steps), liar.stateAt(steps)]);
    expect((await blobWords(answered.blob as Hex)).slice(0, segments - 1)).toEqual(lied.slice(0, -1));
    expect(answered.verdict).toMatchObject({ claims: segments, wrong: steps.filter((_, index) => right[index] !== lied[index]).map(String) });
    const index = right.findIndex((state, position) => state !== lied[position]);
    expect(story.instruction).toMatchObject({ step: (steps[index]! - 1n).toString(), proven: null, claims: { asserter: lied[index], right: right[index] } });
    expect(story.status).toMatchObject({ phase: 'challenger-to-move', turn: 'challenger', open: true });
    expect(text).toMatch(/^the instruction that it will come down to: step /m);
    expect(text).toMatch(/^ +there the challenger had claimed that state 0x[0-9a-f]{8}…, which is right, becomes 0x[0-9a-f]{8}…, which is right$/m);
  });

  test('without: that they are in a blob, and which option fetches them', async () => {
    const [told, bare] = await Promise.all([tell(gameId, { beacon: false }), tell(gameId, { beacon: false, files: false })]);
    const { blob } = told.story.moves[1]!;
    expect(told.story).toMatchObject({ instruction: null, moves: [{ claimsRead: true }, { claimsRead: false, verdict: { claims: 1 } }] });
    for (const { story, text } of [told, bare]) {
      expect(story.unknown).toContainEqual(expect.stringMatching(new RegExp(`^what the asserter claims within its split of block \\d+: it is in blob ${blob}, which cannot be had`)));
      expect(text).toContain(`what the asserter claims within is in blob ${blob}, which was not read`);
      expect(text).toMatch(/^not known: what the asserter claims within .*name a beacon node with --beacon/m);
    }
    expect(told.text).toMatch(/the end that the asserter claims is (right|wrong); what/);
  });

  test('the command line: --beacon, at an endpoint that gives no blobs itself', async () => {
    const endpoint = await startProxy(rollup.devnet.url);
    endpoint.refuse = ({ method }) => (method === 'anvil_getBlobByHash' ? 'the method does not exist' : undefined);
    const explain = (...more: string[]) => assay(['explain', gameId, '--model', at('tiny'), ...more], { environment: { ...rollup.environment, ASSAY_RPC_URL: endpoint.url } });
    const [read, unread] = await Promise.all([explain('--beacon', rollup.devnet.url), explain()]);
    await endpoint.close();
    expect({ read: [read.code, read.stderr], unread: [unread.code, unread.stderr] }).toEqual({ read: [0, ''], unread: [0, ''] });
    expect(read.stdout).toMatch(/^the instruction that it will come down to: step /m);
    expect(read.stdout).not.toContain('not known');
    expect(unread.stdout).toMatch(/^not known: what the asserter claims .*the JSON-RPC endpoint: .*name a beacon node with --beacon/m);
    expect(unread.stdout).not.toContain('the instruction that');
  });

  test('the segment that the next party chooses in it is known by its call alone', async () => {
    const chosen = await rollup.challenge(image(2), 'blob');
    // All steps one by one: the liar has to prove one of them, and its call has the state that the challenger claimed.
    const transaction = await rollup.nextTurn(chosen);
    expect(transaction.intent).toMatch(/^prove:/);
    await rollup.send('asserter', transaction);
    const [read, unread] = await Promise.all([tell(chosen), tell(chosen, { beacon: false })]);
    expect(read.story.moves[0]).toMatchObject({ carrier: 'blob', claimsRead: true, segments: Number(read.story.steps), verdict: { claims: Number(read.story.steps), wrong: [] } });
    expect(unread.story.moves[0]).toMatchObject({ claimsRead: false, verdict: { claims: 1, wrong: [] } });
    expect(unread.story.instruction).toEqual(read.story.instruction);
    expect(read.story.instruction).toMatchObject({ proven: { by: 'asserter' }, claims: { asserter: null, challenger: read.story.instruction!.claims.right } });
    expect(read.story.end).toMatchObject({ ending: 'concession', winner: 'challenger' });
    expect(unread.text).toMatch(/^ {2}asserter {5}never had to say which state comes after it$/m);
  });
});

test('a proof in a batch: the one that counted, and not the one that failed before it', async () => {
  const gameId = await rollup.challenge(image(3));
  let transaction = await rollup.nextTurn(gameId);
  while (!transaction.intent.startsWith('prove:')) {
    await rollup.send((await rollup.dispute(gameId)).mover, transaction);
    transaction = await rollup.nextTurn(gameId);
  }
  const { mover } = await rollup.dispute(gameId);
  const broken = hexToBytes(transaction.data);
  // A byte in the middle of the proof, which is the call's last argument.
  broken[broken.length - 100] = (broken[broken.length - 100] ?? 0) ^ 1;
  const calls = [bytesToHex(broken), transaction.data];
  await rollup.send(mover, { intent: `batch:${gameId}`, to: transaction.to, gas: 3_000_000n, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'batch', args: [calls] }) });
  const [{ story }, { story: bare }] = await Promise.all([tell(gameId), tell(gameId, { files: false })]);
  expect(story).toMatchObject({ unknown: [], end: { winner: 'challenger', ending: expect.stringMatching(/^(proof|concession)$/) }, instruction: { proven: { by: mover, transaction: story.end?.transaction } } });
  const step = BigInt(story.instruction!.step);
  expect(story.instruction!.claims.right).toBe((await (await rollup.trace(gameId, 'challenger')).stateAt([step + 1n]))[0]);
  for (const field of ['step', 'row', 'column', 'pc', 'reads', 'result', 'claims', 'proven'] as const) expect(bare.instruction?.[field], field).toEqual(story.instruction?.[field]);
});

test('a challenge in a batch: the output that it claims', async () => {
  const gameId = await rollup.challenge(image(6), 'calldata', true);
  const [{ story }, { story: bare }] = await Promise.all([tell(gameId), tell(gameId, { files: false })]);
  expect(story).toMatchObject({ unknown: [], challenger: { shows: 'output', output: story.right } });
  expect(bare.challenger).toMatchObject({ shows: 'output', output: { commitment: story.right?.commitment } });
});

describe('a game that ends by its clock', () => {
  test('never answered: before and after somebody says so', async () => {
    const gameId = await rollup.challenge(image(4));
    await rollup.runOut(gameId);
    const late = await tell(gameId);
    expect(late.story).toMatchObject({ honest: 'challenger', end: null, instruction: null, unknown: [], status: { phase: 'challenger-won', turn: null, open: true, level: 1 } });
    expect(late.text).toMatch(/next: anybody can settle: the asserter's clock ran out at .* UTC, and the challenger has won$/m);
    await rollup.settle(gameId);
    const { story, text } = await tell(gameId);
    expect(story).toMatchObject({ instruction: null, unknown: [], end: { ending: 'timeout', winner: 'challenger', settled: true, burnt: '0' }, status: { phase: 'challenger-won', open: false } });
    expect(BigInt(story.end!.paid)).toBe((await rollup.dispute(gameId)).challengerStake);
    expect(text).toMatch(/UTC {2}the asserter is out of time: the challenger wins, and gets .* ETH; 0 ETH are burnt, and a bounty of/);
    expect(text).not.toContain('the instruction that');
  });

  test('answered, and then silence: the instruction that it would have come down to', async () => {
    const gameId = await rollup.challenge(image(5));
    await rollup.turn(gameId, 'blob');
    await rollup.runOut(gameId);
    // The honest side was silent, and loses although it is right.
    expect((await tell(gameId)).text).toMatch(/^the instruction that it would have come down to: step /m);
    await rollup.settle(gameId);
    const { story, text } = await tell(gameId);
    expect(story).toMatchObject({ honest: 'challenger', end: { ending: 'timeout', winner: 'asserter' }, instruction: { proven: null }, status: { phase: 'asserter-won', turn: null } });
    expect(story.moves.map(({ kind }) => kind)).toEqual(['challenge', 'answer']);
    expect(text).toMatch(/the challenger is out of time: the asserter wins/);
    expect(text).toMatch(/^the instruction that it would have come down to: step /m);
    // A clock does not say who is right.
    expect((await tell(gameId, { files: false })).story).toMatchObject({ honest: null, instruction: null });
  });
});
