import { writeFileSync } from 'node:fs';
import { getAddress, isAddressEqual, zeroAddress } from 'viem';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inboxAbi, modelContractAbi, modelRegistryAbi } from '../../contracts/abi/generated.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';
import { fromUnsigned } from '../../kernels/requantize.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { simulateRegistration } from '../../rollup-node/chain/register-model.ts';
import { startDevnet } from '../../rollup-node/devnet.ts';
import type { Devnet } from '../../rollup-node/devnet.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { startProxy } from '../../rollup-node/testing/proxy.ts';
import type { ProxiedCall } from '../../rollup-node/testing/proxy.ts';
import { tinyModel } from '../../rollup-node/testing/tiny-model.ts';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, INPUT, linearModel } from './models.ts';

/** The development chains' account 3; its key is public. */
const KEY = '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6';
const REGISTRANT = privateKeyToAccount(KEY).address;
/** Account 4, whose key only the chain's own signer is asked for. */
const OTHER = '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65';
const FEE = 2n * 10n ** 15n;
const URI = 'https://example.org/linear';

const at = temporaryFolder();
const linear = importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'linear' }).model;
const tiny = tinyModel();
/** Somewhat more bytes than 2^16 words. */
const WIDE = 2 ** 21 + 32;
let devnet: Devnet;

const environment = (): Record<string, string> => ({ ASSAY_PRIVATE_KEY: KEY, ASSAY_RPC_URL: devnet.url, ASSAY_ASSERTIONS: devnet.deployment.resultAssertions });
const register = (...more: readonly string[]): Promise<Record<string, unknown>> => answer(['register', at('linear'), '--fee', FEE.toString(), ...more], { environment: environment() });
const contractOf = (registrant: Address, fee = FEE): Promise<Address> =>
  devnet.client.readContract({ address: devnet.deployment.modelRegistry, abi: modelRegistryAbi, functionName: 'modelContract', args: [devnet.models[0]?.modelId as Hex, registrant, fee] });
const registrations = async (): Promise<readonly { readonly registrant: Address; readonly fee: bigint; readonly uri: string }[]> =>
  (await devnet.client.getContractEvents({ address: devnet.deployment.modelRegistry, abi: modelRegistryAbi, eventName: 'ModelRegistered', fromBlock: 0n, strict: true })).map(({ args: { registrant, fee, uri } }) => ({ registrant, fee, uri }));
const sent = (account: Address): Promise<number> => devnet.client.getTransactionCount({ address: account });

/** The tiny model, called otherwise. */
const called = (signature: string): Model => ({ ...tiny, program: { ...tiny.program, signature } });

function wideModel(): Model {
  const shape = { element: 'i8', rows: 1, columns: WIDE } as const;
  const builder = new ProgramBuilder({ name: 'wide', signature: 'echo(bytes)->(bytes)', input: shape, metadata: {} });
  builder.append('signed', { kernel: fromUnsigned, output: shape, operands: [builder.input] });
  return builder.build();
}

beforeAll(async () => {
  await writeBundleDirectory(at('linear'), linear);
  await writeBundleDirectory(at('wide'), wideModel());
  for (const [name, signature] of [['taken', 'decodeOutput(bytes)->(int32)'], ['other-shape', 'classify(uint8[65])->(int32)'], ['spaced', 'classify(uint8[64]) -> (int32)'], ['unsigned', 'classify(uint64)->(int32)']] as const) {
    await writeBundleDirectory(at(name), called(signature));
  }
  writeFileSync(at('input.f32'), floats(...INPUT));
  devnet = await startDevnet({ models: [{ model: linear, fee: 10n ** 15n }], sequencerExecutor: createWasmExecutor(), pollInterval: 50, batchDelay: 0, log: silentLogger() });
});
afterAll(() => devnet.stop());

describe('a registration from the command line', () => {
  let planned: Record<string, unknown>;
  let contract: Address;

  test('is tried out without a key, and nothing is sent', async () => {
    const before = await registrations();
    planned = await answer(['register', at('linear'), '--fee', FEE.toString(), '--uri', URI, '--dry-run', '--account', REGISTRANT], { environment: { ...environment(), ASSAY_PRIVATE_KEY: '' } });
    expect(planned).toEqual({
      modelId: devnet.models[0]?.modelId, contract: expect.stringMatching(/^0x[0-9a-fA-F]{40}$/), signature: linear.program.signature, fee: FEE.toString(), uri: URI, registrant: REGISTRANT, action: 'register', gas: expect.any(Number),
    });
    expect(await registrations()).toEqual(before);
    expect(await sent(REGISTRANT)).toBe(0);
  });

  test('gives the contract that was predicted, for the gas that was estimated', async () => {
    const made = await register('--uri', URI);
    const { gas, ...facts } = planned as { readonly gas: number };
    expect(made).toEqual({ ...facts, transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
    contract = made.contract as Address;
    expect(contract).toBe(await contractOf(REGISTRANT));
    const { gasUsed, from, to } = await devnet.client.getTransactionReceipt({ hash: made.transaction as Hex });
    expect({ from: getAddress(from), to: getAddress(to ?? zeroAddress) }).toEqual({ from: REGISTRANT, to: getAddress(devnet.deployment.modelRegistry) });
    expect(gas).toBeGreaterThanOrEqual(Number(gasUsed));
    expect(gas).toBeLessThan(1.2 * Number(gasUsed));
    expect(await devnet.client.readContract({ address: contract, abi: modelContractAbi, functionName: 'fee', args: [0] })).toBe(FEE);
    expect((await registrations()).at(-1)).toEqual({ registrant: REGISTRANT, fee: FEE, uri: URI });
  });

  test('is not sent again, unless its files are in another place', async () => {
    const [before, transactions] = [await registrations(), await sent(REGISTRANT)];
    for (const more of [[], ['--uri', URI]]) expect(await register(...more)).toMatchObject({ contract, action: 'none' });
    expect(await register('--uri', 'ipfs://elsewhere', '--dry-run')).toMatchObject({ contract, action: 'publish-uri' });
    expect({ registrations: await registrations(), transactions: await sent(REGISTRANT) }).toEqual({ registrations: before, transactions });
    const { code, stdout, stderr } = await assay(['register', at('linear'), '--fee', FEE.toString()], { environment: environment() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${REGISTRANT} has registered this model for this fee already: nothing is sent; --uri publishes another place of its files\n` });
    expect(stdout).toMatch(new RegExp(`^contract +${contract}$`, 'm'));
    expect(await register('--uri', 'ipfs://elsewhere')).toMatchObject({ contract, action: 'publish-uri' });
    // The newest place is the one that counts: nodes forget the one before.
    expect(await register('--uri', URI)).toMatchObject({ contract, action: 'publish-uri' });
    expect(await registrations()).toEqual([...before, { registrant: REGISTRANT, fee: FEE, uri: 'ipfs://elsewhere' }, { registrant: REGISTRANT, fee: FEE, uri: URI }]);
  });

  test('finds the newest place in pieces of the chain', async () => {
    expect(await register('--uri', URI, '--log-range', '3')).toMatchObject({ action: 'none' });
  });

  test('gives another registrant and another fee contracts of their own', async () => {
    const other = await answer(['register', at('linear'), '--fee', FEE.toString(), '--signer-url', devnet.url, '--account', OTHER], { environment: { ...environment(), ASSAY_PRIVATE_KEY: '' } });
    expect(other).toMatchObject({ registrant: OTHER, action: 'register', contract: await contractOf(OTHER) });
    const free = await answer(['register', at('linear'), '--fee', '0'], { environment: environment() });
    expect(free).toMatchObject({ action: 'register', fee: '0', contract: await contractOf(REGISTRANT, 0n) });
    expect(new Set([contract, other.contract, free.contract]).size).toBe(3);
  });

  test('is a contract that answers requests', async () => {
    const [asked, run] = await Promise.all([
      answer(['request', at('linear'), at('input.f32'), '--contract', contract, '--finality', 'asserted'], { environment: environment() }),
      answer(['run', at('linear'), '--input', at('input.f32')]),
    ]);
    expect(asked).toMatchObject({ contract, fee: FEE.toString(), output: run.output, outputRoot: run.outputRoot });
    const { requester, model } = await devnet.client.readContract({ address: devnet.deployment.inbox, abi: inboxAbi, functionName: 'requestOf', args: [asked.requestId as Hex] });
    expect([getAddress(requester), getAddress(model)]).toEqual([REGISTRANT, contract]);
  });

  test('is sent once, though the endpoint takes it and loses the connection before it has said so', async () => {
    const [before, proxy] = [await registrations(), await startProxy(devnet.url)];
    let lost = 0;
    proxy.lie = ({ method }, taken) => {
      if (method !== 'eth_sendRawTransaction' || (lost += 1) > 1) return taken;
      throw new Error('connection lost');
    };
    const made = await answer(['register', at('linear'), '--fee', '7'], { environment: { ...environment(), ASSAY_RPC_URL: proxy.url } });
    await proxy.close();
    expect({ lost: lost > 0, contract: made.contract }).toEqual({ lost: true, contract: await contractOf(REGISTRANT, 7n) });
    expect(await registrations()).toEqual([...before, { registrant: REGISTRANT, fee: 7n, uri: '' }]);
  });
});

describe('nothing is sent', () => {
  test('for what cannot work', async () => {
    const [before, transactions] = [await registrations(), await sent(REGISTRANT)];
    const refuse = (reason: RegExp, exitCode: number, bundle = 'linear', more: readonly string[] = [], changed: Record<string, string> = {}): Promise<void> =>
      refusal(['register', at(bundle), '--fee', '1', ...more], exitCode, reason, { environment: { ...environment(), ...changed } });
    const checks = [
      () => refuse(/function of its own with the selector 0x[0-9a-f]{8}, that of decodeOutput\(bytes\)->\(int32\) \(make the model with another name/, 2, 'taken'),
      () => refuse(/has 65,537 words, more than the 65,536 that the registry takes \(make a model of smaller inputs/, 2, 'wide'),
      () => refuse(/classify\(uint8\[65\]\)->\(int32\) does not fit the program's input of 1 × 64 elements of 8 bits/, 2, 'other-shape'),
      () => refuse(/'classify\(uint8\[64\]\) -> \(int32\)' is no signature that the registry reads: behind 'classify\(uint8\[64\]' it expects \)->\( \(make/, 2, 'spaced'),
      () => refuse(/'uint64' in the signature classify\(uint64\)->\(int32\) is no type that models take or give \(types are string, /, 2, 'unsigned'),
      () => refuse(/no fee of 18,446,744,073,709,551,616 wei \(--fee is in wei, and below 2\^64/, 2, 'linear', ['--fee', (2n ** 64n).toString()]),
      () => refuse(/'0\.001' is invalid\. Expected a whole number of wei/, 2, 'linear', ['--fee', '0.001']),
      () => refuse(/is invalid\. Expected a whole number of wei/, 2, 'linear', ['--fee', (2n ** 256n).toString()]),
      () => refuse(/'' is invalid\. Expected a URI/, 2, 'linear', ['--uri', '']),
      () => refuse(/nowhere does not exist/, 2, 'nowhere'),
      () => refuse(/serves chain 31337, not 1 \(check --rpc-url and --chain-id\)/, 3, 'linear', ['--chain-id', '1']),
      () => refuse(/there is no Assay rollup at 0x0{39}1 on chain 31337/, 3, 'linear', ['--assertions', '0x0000000000000000000000000000000000000001']),
      () => refuse(/cannot reach the chain at/, 3, 'linear', [], { ASSAY_RPC_URL: 'http://127.0.0.1:1' }),
      () => refuse(/no key to send transactions with/, 2, 'linear', [], { ASSAY_PRIVATE_KEY: '' }),
      () => refuse(/the registration could not be sent: .*exceeds the balance.* \(it is sent and paid by 0x/, 3, 'linear', [], { ASSAY_PRIVATE_KEY: `0x${'11'.repeat(32)}` }),
    ];
    for (let start = 0; start < checks.length; start += 3) await Promise.all(checks.slice(start, start + 3).map((check) => check()));
    await refusal(['register', at('linear')], 2, /required option '--fee <wei>' not specified/);
    expect({ registrations: await registrations(), transactions: await sent(REGISTRANT) }).toEqual({ registrations: before, transactions });
  });

  test('for a bundle whose files do not hold', async () => {
    await writeBundleDirectory(at('broken'), tiny);
    writeFileSync(at('broken', 'weights.bin'), new Uint8Array(64));
    await refusal(['register', at('broken'), '--fee', '1'], 5, /the bundle .*broken is not usable/, { environment: environment() });
  });

  test.each<[string, number, number, RegExp]>([
    ['another tag', 31, 0xff, /refuses word 0 of the model's header, the format's tag/],
    ['too many operators', 32 + 30, 0xff, /refuses word 1 of the model's header, the numbers of operators/],
    ['an input of unknown shape', 4 * 32, 1, /refuses word 4 of the model's header, the input's shape/],
    ['too many steps', 5 * 32 + 24, 1, /refuses word 5 of the model's header, the bound on steps/],
    ['another signature', 6 * 32, 0, /finds another hash for the signature classify\(uint8\[64\]\)->\(int32\) than the model's header has/],
  ])('to a registry of another version: %s', async (_, place, flip, reason) => {
    const header = encodeModel(tiny).header.slice();
    header[place] = flip === 0 ? (header[place] ?? 0) ^ 1 : flip;
    await expect(simulateRegistration(devnet.client, REGISTRANT, devnet.deployment.modelRegistry, { header, model: tiny })).rejects.toMatchObject({ message: expect.stringMatching(reason), exitCode: 3, hint: expect.stringContaining('another version of Assay') });
  });

  test('when the registry refuses for an unknown reason, or its endpoint fails', async () => {
    const proxy = await startProxy(devnet.url);
    const isRegistry = ({ method, params }: ProxiedCall): boolean => method === 'eth_call' && isAddressEqual((params[0] as { readonly to: Address }).to, devnet.deployment.modelRegistry);
    const refuse = (reason: RegExp): Promise<void> => refusal(['register', at('linear'), '--fee', '11'], 3, reason, { environment: { ...environment(), ASSAY_RPC_URL: proxy.url } });
    proxy.refuse = (call) => (isRegistry(call) ? 'execution reverted' : undefined);
    await refuse(/the registry refuses the model: /);
    proxy.refuse = () => undefined;
    proxy.lie = (call, answered) => {
      if (isRegistry(call)) throw new Error('connection lost');
      return answered;
    };
    await refuse(/the registry could not be asked: .*\(check --rpc-url\)/);
    await proxy.close();
    expect(await contractOf(REGISTRANT, 11n)).toBe(zeroAddress);
  });
});
