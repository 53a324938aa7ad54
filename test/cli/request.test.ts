import { writeFileSync } from 'node:fs';
import { parseEventLogs, zeroAddress } from 'viem';
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inboxAbi } from '../../contracts/abi/generated.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { startDevnet } from '../../rollup-node/devnet.ts';
import type { Devnet } from '../../rollup-node/devnet.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { startProxy } from '../../rollup-node/testing/proxy.ts';
import { answer, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, INPUT, linearModel } from './models.ts';

/** The development chains' account 3; its key is public. */
const KEY = '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6';
/** Account 4's. */
const SECOND_KEY = '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a';
const at = temporaryFolder();
let devnet: Devnet;
const environment = (): Record<string, string> => ({ ASSAY_PRIVATE_KEY: KEY, ASSAY_RPC_URL: devnet.url, ASSAY_ASSERTIONS: devnet.deployment.resultAssertions });
const requests = (): Promise<bigint> => devnet.client.readContract({ address: devnet.deployment.inbox, abi: inboxAbi, functionName: 'count' });

beforeAll(async () => {
  const lande = buildLande(await loadLandePackage());
  const linear = importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'linear' }).model;
  const classifier = importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'classifier', classify: true }).model;
  await writeBundleDirectory(at('lande'), lande);
  await writeBundleDirectory(at('linear'), linear);
  await writeBundleDirectory(at('classifier'), classifier);
  writeFileSync(at('text.txt'), 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.');
  writeFileSync(at('input.f32'), floats(...INPUT));
  devnet = await startDevnet({
    models: [{ model: lande, fee: 10n ** 15n }, { model: linear, fee: 10n ** 15n }],
    sequencerExecutor: createWasmExecutor(),
    parameters: { window: 2n },
    pollInterval: 50,
    batchDelay: 0,
    log: silentLogger(),
  });
});
afterAll(() => devnet.stop());

describe.concurrent('a request from the command line', () => {
  test('is answered as the model answers on this machine', async () => {
    const [asked, run] = await Promise.all([
      answer(['request', at('linear'), at('input.f32'), '--finality', 'asserted'], { environment: environment() }),
      answer(['run', at('linear'), '--input', at('input.f32')]),
    ]);
    expect(asked).toMatchObject({ modelId: run.modelId, outputRoot: run.outputRoot, output: run.output, contract: devnet.models[1]?.contract, requestId: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
    expect(BigInt(asked.fee as string)).toBeGreaterThan(0n);
  });

  test('waits until the result is final', async () => {
    expect(await answer(['request', at('lande'), '-', '--contract', devnet.models[0]?.contract ?? ''], { environment: { ...environment(), ASSAY_PRIVATE_KEY: SECOND_KEY }, input: 'Tous les êtres humains naissent libres' })).toMatchObject({ output: 'fra', assertionId: expect.stringMatching(/^0x/) });
  });
});

describe('nothing is paid', () => {
  test('for what cannot work', async () => {
    const before = await requests();
    const request = (reason: RegExp, exitCode: number, more: readonly string[] = [], changed: Record<string, string> = {}, [bundle, input] = ['lande', 'text.txt']): Promise<void> =>
      refusal(['request', at(bundle ?? ''), at(input ?? ''), ...more], exitCode, reason, { environment: { ...environment(), ...changed } });
    writeFileSync(at('long.txt'), 'é '.repeat(400));
    const checks = [
      () => request(/the text has 1201 bytes of UTF-8 and the model reads 1024/, 2, [], {}, ['lande', 'long.txt']),
      () => request(/nobody has published model 0x[0-9a-f]{64} on chain 31337/, 3, [], {}, ['classifier', 'input.f32']),
      () => request(/cannot reach the chain at http:\/\/127\.0\.0\.1:1: /, 3, [], { ASSAY_RPC_URL: 'http://127.0.0.1:1' }),
      () => request(/serves chain 31337, not 1 /, 3, ['--chain-id', '1']),
      () => request(/there is no Assay rollup at 0x0{39}1 on chain 31337/, 3, ['--assertions', '0x0000000000000000000000000000000000000001']),
      () => request(/assertions .* must be an address/, 2, ['--assertions', '0x12']),
      () => request(/'0x12' is invalid\. Expected 0x and 40 hex digits/, 2, ['--contract', '0x12']),
      () => request(/is no contract of the model/, 3, ['--contract', zeroAddress]),
      () => request(/privateKey \(ASSAY_PRIVATE_KEY\) must be 0x and 64 hex digits/, 2, [], { ASSAY_PRIVATE_KEY: '0xzz' }),
      () => request(/could not be sent: .*exceeds the balance/, 3, [], { ASSAY_PRIVATE_KEY: `0x${'11'.repeat(32)}` }),
    ];
    for (let start = 0; start < checks.length; start += 4) await Promise.all(checks.slice(start, start + 4).map((check) => check()));
    expect(await requests()).toBe(before);
  });
});

test('is paid for once, though the endpoint takes it and loses the connection before it has said so', async () => {
  const before = await requests();
  const proxy = await startProxy(devnet.url);
  let lost = 0;
  proxy.lie = ({ method }, taken) => {
    if (method !== 'eth_sendRawTransaction' || (lost += 1) > 1) return taken;
    throw new Error('connection lost');
  };
  const asked = await answer(['request', at('linear'), at('input.f32'), '--no-wait'], { environment: { ...environment(), ASSAY_RPC_URL: proxy.url } });
  await proxy.close();
  expect(lost).toBeGreaterThan(0);
  expect(await requests()).toBe(before + 1n);
  const { logs } = await devnet.client.getTransactionReceipt({ hash: asked.transaction as Hex });
  expect(parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs })[0]?.args.requestId).toBe(asked.requestId);
});

describe.concurrent('a node that cannot start', () => {
  const start = (command: string, reason: RegExp, exitCode: number, ...more: string[]): Promise<void> =>
    refusal([command, '--api-port', '0', '--models', at('lande'), '--data-directory', at('store'), ...more], exitCode, reason, { environment: environment() });
  test('no models', () => start('node', /no models to work with/, 2, '--models', ''));
  test('a file instead of a folder for the store', () => start('watch', /cannot create the data folder .*text\.txt/, 4, '--data-directory', at('text.txt')));
  test('wrong settings, all in one line', () => start('watch', /executor .*; batchSize .* must be at least 1 /, 2, '--batch-size', '0', '--executor', 'gpu'));
});
