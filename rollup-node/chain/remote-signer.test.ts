import { concat, fromRlp, parseTransaction, recoverTransactionAddress, slice, toRlp } from 'viem';
import type { Hex, TransactionSerializable, TransactionSerializableEIP1559, TransactionSerializableEIP4844, TransactionSerialized } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, test } from 'vitest';
import { startAnvil } from '../anvil.ts';
import { readSigningCall, startSigner } from '../testing/signer-server.ts';
import type { SignerServer, SigningCall } from '../testing/signer-server.ts';
import { remoteAccount, watchingAccount } from './remote-signer.ts';

const owner = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const common = { chainId: 31337, to: stranger.address, data: '0xabcdef', value: 5n, gas: 50_000n, nonce: 0, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n } as const;
const transaction: TransactionSerializableEIP1559 = { ...common, type: 'eip1559' };
const NAMES: readonly Hex[] = [`0x01${'33'.repeat(31)}`, `0x01${'44'.repeat(31)}`];
const withBlobs = { ...common, type: 'eip4844', maxFeePerBlobGas: 7n, blobVersionedHashes: [...NAMES], sidecars: false } as TransactionSerializableEIP4844;

let server: SignerServer | undefined;
afterEach(() => server?.close());

async function signer(sign: (call: SigningCall) => Promise<unknown>, accounts: readonly string[] = [owner.address]): Promise<string> {
  server = await startSigner(sign, accounts);
  return server.url;
}

/** Signs what it is asked to, changed. */
const changing = (change: (asked: TransactionSerializable) => object) => async (call: SigningCall): Promise<Hex> => {
  const asked = readSigningCall(call);
  return owner.signTransaction({ ...asked, ...change(asked) } as TransactionSerializable);
};

/** The form in which networks pass blobs on, with these lists behind the signed transaction. */
const wrapped = (raw: Hex, ...lists: readonly (Hex | readonly Hex[])[]): Hex => concat(['0x03', toRlp([fromRlp(slice(raw, 1), 'hex'), ...lists.map((list) => (typeof list === 'string' ? list : [...list]))])]);

describe('a remote signer', () => {
  test.each([['the signed transaction', (raw: Hex): unknown => raw], ['it beside its fields, as go-ethereum does', (raw: Hex): unknown => ({ raw, tx: {} })]])('gives %s', async (_, wrap) => {
    const account = await remoteAccount(await signer(async (call) => wrap(await owner.signTransaction(readSigningCall(call)))));
    expect(account.address).toBe(owner.address);
    expect(await account.signTransaction(transaction)).toBe(await owner.signTransaction(transaction));
  });

  const address = stranger.address;
  test.each([
    ['with another key', async (call: SigningCall) => stranger.signTransaction(readSigningCall(call)), /signed with another key/],
    ['another value', changing(() => ({ value: 6n })), /signed another transaction/],
    ['to somebody else', changing(() => ({ to: owner.address })), /signed another transaction/],
    ['at another price', changing(() => ({ maxPriorityFeePerGas: 1n })), /signed another transaction/],
    ['with a list of accesses', changing(() => ({ accessList: [{ address, storageKeys: [] }] })), /signed another transaction/],
    ['another kind of transaction', changing(({ chainId, to, data, value, gas, nonce }) => ({ chainId, to, data, value, gas, nonce, type: 'legacy', gasPrice: 1n, maxFeePerGas: undefined, maxPriorityFeePerGas: undefined })), /signed another transaction/],
    ['nothing', async () => null, /no signed transaction/],
    ['something else', async () => '0x02c0', /signed another transaction/],
  ])('that signs %s is not believed', async (_, sign, message) => {
    const account = await remoteAccount(await signer(sign));
    await expect(account.signTransaction(transaction)).rejects.toThrow(message);
  });

  test('has to have the account, and to be there', async () => {
    await expect(remoteAccount(await signer(async () => null), stranger.address)).rejects.toThrow(/does not have account/);
    server?.close();
    await expect(remoteAccount(await signer(async () => null, [owner.address, stranger.address]))).rejects.toThrow(/has 2 accounts/);
    await expect(remoteAccount('http://127.0.0.1:9')).rejects.toThrow(/does not answer/);
  }, 20_000);

  test('may be anvil', async () => {
    const anvil = await startAnvil();
    const account = await remoteAccount(anvil.url, '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    const raw = await account.signTransaction(transaction);
    expect(parseTransaction(raw as Hex)).toMatchObject({ to: transaction.to!.toLowerCase(), nonce: 0, value: 5n });
    expect(await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` })).toBe(account.address);
    await anvil.stop();
  }, 20_000);
});

describe('a transaction with blobs', () => {
  test.each([
    ['the signed bytes', (raw: Hex): unknown => raw],
    ['the form for networks with no blobs in it, as go-ethereum does', (raw: Hex): unknown => ({ raw: wrapped(raw, [], [], []), tx: {} })],
    ['the same of EIP-7594', (raw: Hex): unknown => wrapped(raw, '0x01', [], [], [])],
  ])('is signed by the names of its blobs; the signer answers with %s', async (_, wrap) => {
    const account = await remoteAccount(await signer(async (call) => wrap(await owner.signTransaction(readSigningCall(call)))));
    const raw = await account.signTransaction(withBlobs) as TransactionSerialized;
    expect(raw).toBe(await owner.signTransaction(withBlobs));
    expect(await recoverTransactionAddress({ serializedTransaction: raw })).toBe(owner.address);
    expect(server!.calls).toEqual([{
      from: owner.address, to: stranger.address, data: '0xabcdef', type: '0x3', value: '0x5', gas: '0xc350', nonce: '0x0', chainId: '0x7a69', maxFeePerGas: '0x2540be400', maxPriorityFeePerGas: '0x3b9aca00',
      maxFeePerBlobGas: '0x7', blobVersionedHashes: NAMES,
    }]);
  });

  test.each([
    ['another blob', changing(() => ({ blobVersionedHashes: [NAMES[0], `0x01${'55'.repeat(31)}`] })), /signed another transaction/],
    ['one blob less', changing(() => ({ blobVersionedHashes: [NAMES[0]] })), /signed another transaction/],
    ['blobs in another order', changing(() => ({ blobVersionedHashes: [...NAMES].reverse() })), /signed another transaction/],
    ['another price of blobs', changing(() => ({ maxFeePerBlobGas: 8n })), /signed another transaction/],
    // What a signer does that does not know the fields.
    ['one without blobs', changing(() => ({ type: 'eip1559', maxFeePerBlobGas: undefined, blobVersionedHashes: undefined, sidecars: undefined })), /signed another transaction .*set --claims calldata/],
    ['with another key', async (call: SigningCall) => stranger.signTransaction(readSigningCall(call)), /signed with another key/],
    ['nothing, and says why', async () => { throw new Error('unknown field'); }, /set --claims calldata/],
    ['an empty list', async () => '0x03c1c0', /signed another transaction/],
  ])('that was signed as %s is not believed', async (_, sign, message) => {
    const account = await remoteAccount(await signer(sign));
    await expect(account.signTransaction(withBlobs)).rejects.toThrow(message);
  });
});

test('an account without key signs nothing', async () => {
  await expect(watchingAccount(owner.address).signTransaction(transaction)).rejects.toThrow(/no key/);
});
