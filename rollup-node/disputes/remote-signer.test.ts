import { afterEach, expect, test } from 'vitest';
import { remoteAccount } from '../chain/remote-signer.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { ask, until } from '../testing/requests.ts';
import { readSigningCall, startSigner } from '../testing/signer-server.ts';
import type { SignerServer } from '../testing/signer-server.ts';
import { image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();
let signer: SignerServer | undefined;
afterEach(() => signer?.close());

test('a watcher whose key a remote signer has puts its claims into blobs, which the signer never sees, and wins', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const { account: owner } = net.wallet(DEVNET_ACCOUNTS.watcher);
  signer = await startSigner((call) => owner.signTransaction(readSigningCall(call)), [owner.address]);
  await ask(net, net.models[0]!.contract, signature, image(3));
  const watcher = await net.addNode({
    name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, account: await remoteAccount(signer.url), claims: 'blob',
  });
  const settled = await until(async () => (await watcher.context.store.list('disputes')).find(({ value }) => value.settled)?.value, 'the dispute settled', 40_000);
  expect(settled).toMatchObject({ phase: 'challenger-won', challenger: owner.address });
  // The chain, too, finds the account in the signature, and the blob that the signed name is of.
  const transaction = await net.client.getTransaction({ hash: settled.moves[0]!.transactionHash });
  expect(transaction).toMatchObject({ type: 'eip4844', from: owner.address.toLowerCase() });
  const asked = signer.calls.filter(({ type }) => type === '0x3');
  expect(asked[0]?.blobVersionedHashes).toEqual(transaction.blobVersionedHashes);
  for (const call of asked) expect(JSON.stringify(call).length).toBeLessThan(10_000);
}, 60_000);
