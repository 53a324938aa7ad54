import type { ChainClient } from './client.ts';

/** The blocks from one to the newest, no more at once than the endpoint gives logs of. */
export async function* blockRanges(client: ChainClient, first: bigint, size: number): AsyncGenerator<{ readonly fromBlock: bigint; readonly toBlock: bigint }> {
  const newest = await client.getBlockNumber();
  for (let fromBlock = first; fromBlock <= newest; fromBlock += BigInt(size)) {
    const end = fromBlock + BigInt(size) - 1n;
    yield { fromBlock, toBlock: end < newest ? end : newest };
  }
}
