import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createPublicClient, createWalletClient, http, keccak256, stringToHex, toHex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inboxAbi, modelContractAbi, modelRegistryAbi, resultAssertionsAbi } from './abi/generated.ts';
import { DEVNET_PARAMETERS, deploy } from './deploy.ts';

let anvil: ChildProcess;
let url: string;

beforeAll(async () => {
  anvil = spawn(createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil'), ['--port', '0', '--hardfork', 'osaka']);
  url = await new Promise<string>((resolve, reject) => {
    let seen = '';
    anvil.on('error', reject);
    anvil.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const found = /Listening on (\S+)/.exec(seen);
      if (found) resolve(`http://${found[1]}`);
    });
  });
}, 20_000);

afterAll(() => {
  anvil.kill();
});

const account = mnemonicToAccount('test test test test test test test test test test test junk');

test('deploys contracts that know each other, and a model that can be called', async () => {
  const transport = http(url);
  const wallet = createWalletClient({ account, chain: foundry, transport });
  const chain = createPublicClient({ chain: foundry, transport, pollingInterval: 50 });
  const deployed = await deploy(wallet, chain, DEVNET_PARAMETERS);

  const read = { address: deployed.resultAssertions, abi: resultAssertionsAbi } as const;
  expect(await chain.readContract({ ...read, functionName: 'INBOX' })).toBe(deployed.inbox);
  expect(await chain.readContract({ ...read, functionName: 'GAME' })).toBe(deployed.dissectionGame);
  expect(await chain.readContract({ ...read, functionName: 'REGISTRY' })).toBe(deployed.modelRegistry);
  expect(await chain.readContract({ ...read, functionName: 'window' })).toBe(DEVNET_PARAMETERS.window);

  const word = (value: bigint) => toHex(value, { size: 32 });
  const signature = 'detect(string)->(string)';
  const zero = word(0n);
  const header = [
    keccak256(stringToHex('assay.program.v1')), word(3n), zero, zero, word((1n << 64n) | (1n << 32n) | 64n), word(1000n),
    keccak256(stringToHex(signature)), zero,
  ] as const;
  const { request, result } = await chain.simulateContract({
    account, address: deployed.modelRegistry, abi: modelRegistryAbi, functionName: 'register', args: [header, signature, 7n, 'ipfs://files'],
  });
  await chain.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
  const [, model] = result;
  expect(await chain.readContract({ address: model, abi: modelContractAbi, functionName: 'signature' })).toBe(signature);

  const value = await chain.readContract({ address: model, abi: modelContractAbi, functionName: 'defaultFee' });
  const detect = [{ type: 'function', name: 'detect', stateMutability: 'payable', inputs: [{ type: 'string', name: 'text' }], outputs: [{ type: 'bytes32' }] }] as const;
  const hash = await wallet.writeContract({ address: model, abi: detect, functionName: 'detect', args: ['hello'], value });
  const receipt = await chain.waitForTransactionReceipt({ hash });
  expect(receipt.status).toBe('success');
  const [event] = await chain.getContractEvents({ address: deployed.inbox, abi: inboxAbi, eventName: 'Requested', fromBlock: deployed.block, strict: true });
  expect(event?.args).toMatchObject({ requester: account.address, index: 0n, input: stringToHex('hello'), fee: value });
}, 20_000);
