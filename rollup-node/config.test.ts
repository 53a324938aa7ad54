import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONFIG_KEYS, environmentName, flagName, loadAccount, loadConfig } from './config.ts';

const assertions = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
const rpcUrl = 'http://127.0.0.1:8545';

async function fileWith(content: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-config-')), 'assay.json');
  await writeFile(path, content);
  return path;
}

describe('loadConfig', () => {
  test('flags come before the environment, the environment before the file, the file before defaults', async () => {
    const file = await fileWith(JSON.stringify({ rpcUrl, assertions, pollInterval: 100, batchSize: 1, apiPort: 1, models: ['lande'] }));
    const config = await loadConfig({ file, environment: { ASSAY_BATCH_SIZE: '2', ASSAY_API_PORT: '2' }, flags: { apiPort: 3, batchDelay: undefined } });
    expect(config).toMatchObject({ rpcUrl: [rpcUrl], assertions, pollInterval: 100, batchSize: 2, apiPort: 3, batchDelay: 1_000, executor: 'auto' });
    expect(config.minimumFee).toBe(0n);
    expect((await loadConfig({ environment: {}, flags: { rpcUrl, assertions, minimumFee: '1000000000000000000000' } })).minimumFee).toBe(10n ** 21n);
    expect(config.models).toEqual([join(file, '..', 'lande')]);
  });

  test('the environment alone is enough, and may name the file', async () => {
    const config = await loadConfig({ environment: { ASSAY_RPC_URL: rpcUrl, ASSAY_ASSERTIONS: assertions.toLowerCase(), ASSAY_MODELS: 'a, b', ASSAY_API: 'false' } });
    expect(config).toMatchObject({ assertions, models: ['a', 'b'], api: false });
    const file = await fileWith(JSON.stringify({ rpcUrl, assertions }));
    expect((await loadConfig({ environment: { ASSAY_CONFIG: file } })).assertions).toBe(assertions);
  });

  test('several endpoints: separated by commas, or a list', async () => {
    const both = [rpcUrl, 'https://rpc.example.org/key'];
    expect((await loadConfig({ environment: { ASSAY_RPC_URL: both.join(', ') }, flags: { assertions } })).rpcUrl).toEqual(both);
    const file = await fileWith(JSON.stringify({ rpcUrl: both, assertions, quorum: 2, maximumFee: 12.5, dryRun: true }));
    expect(await loadConfig({ file, environment: {} })).toMatchObject({ rpcUrl: both, quorum: 2, maximumFee: 12_500_000_000n, dryRun: true });
  });

  test.each([
    [{}, /rpcUrl is missing: set --rpc-url or ASSAY_RPC_URL.*assertions is missing/],
    [{ rpcUrl: 'ftp://x', assertions }, /rpcUrl \(--rpc-url\) must be an http or https URL/],
    [{ rpcUrl: `${rpcUrl},ftp://x`, assertions }, /rpcUrl \(--rpc-url\) must be an http or https URL/],
    [{ rpcUrl: '', assertions }, /rpcUrl \(--rpc-url\) must be an http or https URL/],
    [{ rpcUrl, assertions, maximumFee: 'dear' }, /maximumFee \(--maximum-fee\) .*must be a number of gwei/],
    [{ rpcUrl, assertions: '0x12' }, /assertions \(--assertions\) must be an address/],
    [{ rpcUrl, assertions, batchSize: 0 }, /batchSize \(--batch-size\) must be at least 1/],
    [{ rpcUrl, assertions, minimumFee: '0.1' }, /minimumFee \(--minimum-fee\) .*must be a whole number of wei/],
    [{ rpcUrl, assertions, pollInterval: 'soon' }, /pollInterval \(--poll-interval\) must be a number/],
    [{ rpcUrl, assertions, privateKey: `0x${'1'.repeat(64)}` }, /does not belong on the command line/],
  ])('refuses flags %j', async (flags, message) => {
    await expect(loadConfig({ flags, environment: {} })).rejects.toThrow(message);
  });

  test.each([
    ['{', /is not JSON/],
    ['[]', /must hold one JSON object/],
    [JSON.stringify({ rpcUrl, assertions, rpcurl: 1 }), /unknown setting "rpcurl" in .*assay\.json/],
    [JSON.stringify({ privateKey: '0x' }), /holds a private key/],
  ])('refuses the file %s', async (content, message) => {
    await expect(loadConfig({ file: await fileWith(content), environment: {} })).rejects.toThrow(message);
  });

  test('names follow one rule', () => {
    expect(environmentName('rpcUrl')).toBe('ASSAY_RPC_URL');
    expect(flagName('maximumHeadAge')).toBe('--maximum-head-age');
    expect(new Set(CONFIG_KEYS.map(environmentName)).size).toBe(CONFIG_KEYS.length);
  });
});

describe('loadAccount', () => {
  const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
  const known = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

  test('from the environment or a private file', async () => {
    expect((await loadAccount({ privateKey: key })).address).toBe(known);
    const keyFile = await fileWith(`${key.slice(2)}\n`);
    await expect(loadAccount({ keyFile })).rejects.toThrow(/other users can read/);
    await chmod(keyFile, 0o600);
    expect((await loadAccount({ keyFile })).address).toBe(known);
  });

  test('a dry run needs no key, only to know whose eyes to look with; a key has to be that of the account', async () => {
    expect((await loadAccount({ dryRun: true, account: known })).address).toBe(known);
    await expect(loadAccount({ account: known })).rejects.toThrow(/no key/);
    await expect(loadAccount({ privateKey: key, account: assertions })).rejects.toThrow(/is that of 0xf39Fd6.*, not of 0x5FbDB/);
    await expect(loadAccount({ privateKey: key, signerUrl: rpcUrl })).rejects.toThrow(/a key and a remote signer/);
  });

  test('says what is wrong, and never prints the key', async () => {
    await expect(loadAccount({})).rejects.toThrow(/no key/);
    await expect(loadAccount({ keyFile: '/nowhere/key' })).rejects.toThrow(/cannot read the key file/);
    const keyFile = await fileWith('0xdeadbeef');
    await chmod(keyFile, 0o600);
    const error: unknown = await loadAccount({ keyFile }).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/holds no private key/);
    expect(String(error)).not.toContain('deadbeef');
  });
});
