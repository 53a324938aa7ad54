import type { ChainReader } from '../../fraud-proof/dispute/replay.ts';
import type { ChainClient } from './client.ts';
import type { Head } from './follower.ts';

/** Reads the chain as it is at one block, for a replay of what the next one would do. */
export function chainReaderAt(client: ChainClient, head: Head): ChainReader {
  const at = { blockNumber: head.number };
  return {
    chainId: client.chain.id,
    timestamp: head.timestamp + 1n,
    blockNumber: head.number + 1n,
    getAccount: async (address) => {
      const [balance, nonce, code] = await Promise.all([
        client.getBalance({ address, ...at }),
        client.getTransactionCount({ address, ...at }),
        client.getCode({ address, ...at }),
      ]);
      return { balance, nonce: BigInt(nonce), code: code ?? '0x' };
    },
    getStorageAt: async (address, slot) => (await client.getStorageAt({ address, slot, ...at })) ?? '0x',
  };
}
