import { createPublicClient, defineChain, http, WaitForTransactionReceiptTimeoutError } from 'viem';
import type { Chain, PublicClient, Transport } from 'viem';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createEndpoints } from './endpoints.ts';
import type { Endpoints } from './endpoints.ts';

export interface ConnectOptions {
  /** One endpoint, or several that are compared (endpoints.ts). */
  readonly rpcUrl: string | readonly string[];
  /** Refuses another chain. */
  readonly chainId?: number | undefined;
  /** Milliseconds between polls for new blocks and receipts. */
  readonly pollInterval?: number;
  /** Repetitions of a request that failed for a transient reason, with growing pauses. */
  readonly retryCount?: number;
  /** Milliseconds before the first repetition. */
  readonly retryDelay?: number;
  /** Milliseconds that one request may take. */
  readonly timeout?: number;
  /** Of several endpoints, how many have to say the same before it is believed; 1 by default. */
  readonly quorum?: number;
  /** Blocks that one of several endpoints may be behind the others. */
  readonly maximumLag?: number;
  /** Where to say which endpoints are left out. */
  readonly log?: Logger;
  /** Milliseconds before one of several endpoints that failed is asked again; doubles with every failure, up to `longestPause`. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  /** Milliseconds of the clock that endpoints' pauses are measured with; replaced in tests. */
  readonly now?: () => number;
}

/** A client that reads one chain; `endpoints` where it does so through several. */
export type ChainClient = PublicClient<Transport, Chain> & { readonly endpoints?: Endpoints };

/** Connects to L1. @throws UserError when no endpoint answers, or it serves another chain. */
export async function connect(options: ConnectOptions): Promise<ChainClient> {
  const urls = typeof options.rpcUrl === 'string' ? [options.rpcUrl] : options.rpcUrl;
  if ((options.quorum ?? 1) > urls.length) {
    throw new UserError(`${options.quorum} endpoints have to agree, and there are ${urls.length}`, { hint: 'name more in --rpc-url, or lower --quorum' });
  }
  const { retryDelay, timeout } = options;
  const retryCount = options.retryCount ?? 5;
  const several = urls.length < 2 ? undefined : createEndpoints({ ...options, urls, ...(timeout === undefined ? {} : { timeout }) });
  const transportWith = (retries: number): Transport => several?.transport ?? http(urls[0], { retryCount: retries, retryDelay: retryDelay ?? 200, timeout: timeout ?? 20_000 });
  // Whoever starts a node waits for this one: few repetitions.
  const unknown = createPublicClient({ transport: transportWith(Math.min(retryCount, 2)), cacheTime: 0 });
  const id = await (several === undefined ? unknown.getChainId() : unknown.getBlock().then(() => unknown.getChainId())).catch((error: unknown) => {
    throw new UserError(`cannot reach the chain at ${urls.map(shown).join(', ')}: ${reasonOf(error)}`, {
      exitCode: ExitCode.chain,
      hint: 'check --rpc-url and that the node is running',
      cause: error,
    });
  });
  if (options.chainId !== undefined && id !== options.chainId) {
    throw new UserError(`${urls.map(shown).join(', ')} serves chain ${id}, not ${options.chainId}`, { exitCode: ExitCode.chain, hint: 'check --rpc-url and --chain-id' });
  }
  const chain = defineChain({ id, name: `chain ${id}`, nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: urls } } });
  const client = askingAgain(createPublicClient({ chain, transport: transportWith(retryCount), pollingInterval: options.pollInterval ?? 2_000, cacheTime: 0 }));
  return several === undefined ? client : { ...client, endpoints: several };
}

/** An endpoint for messages: the rest of a URL may be an access key. */
const shown = (url: string): string => new URL(url).origin;

/** Polls of the head between two fresh looks for a receipt. */
const POLLS_PER_LOOK = 5;
const RECEIPT_TIMEOUT = 180_000;

/**
 * viem looks for a receipt once when it is asked, and then when a block comes. A chain that mines only when there is something to mine may show
 * the block a moment before the receipt, and then no other block comes: so it is asked anew from time to time.
 */
function askingAgain(client: ChainClient): ChainClient {
  const wait: ChainClient['waitForTransactionReceipt'] = async (parameters) => {
    const end = performance.now() + (parameters.timeout ?? RECEIPT_TIMEOUT);
    for (;;) {
      const timeout = Math.min(Math.max(1_000, POLLS_PER_LOOK * client.pollingInterval), Math.max(1, end - performance.now()));
      try {
        return await client.waitForTransactionReceipt({ ...parameters, timeout });
      } catch (error) {
        if (!(error instanceof WaitForTransactionReceiptTimeoutError) || performance.now() >= end) throw error;
      }
    }
  };
  return { ...client, waitForTransactionReceipt: wait };
}
