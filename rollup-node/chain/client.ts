import { createPublicClient, defineChain, fallback, http, WaitForTransactionReceiptTimeoutError } from 'viem';
import type { Chain, HttpTransport, PublicClient, Transport } from 'viem';
import { ExitCode, UserError, reasonOf } from '../errors.ts';

export interface ConnectOptions {
  /** One endpoint, or several that are tried in this order. */
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
}

/** A client that reads one chain. */
export type ChainClient = PublicClient<Transport, Chain>;

/** Connects to L1. @throws UserError when no endpoint answers, or it serves another chain. */
export async function connect(options: ConnectOptions): Promise<ChainClient> {
  const urls = typeof options.rpcUrl === 'string' ? [options.rpcUrl] : options.rpcUrl;
  const transport = transportFor(urls, options);
  // Whoever starts a node waits for this one: few repetitions.
  const unknown = createPublicClient({ transport: transportFor(urls, { ...options, retryCount: Math.min(options.retryCount ?? 2, 2) }) });
  const id = await unknown.getChainId().catch((error: unknown) => {
    throw new UserError(`cannot reach the chain at ${urls.join(', ')}: ${reasonOf(error)}`, {
      exitCode: ExitCode.chain,
      hint: 'check --rpc-url and that the node is running',
      cause: error,
    });
  });
  if (options.chainId !== undefined && id !== options.chainId) {
    throw new UserError(`${urls[0]} serves chain ${id}, not ${options.chainId}`, { exitCode: ExitCode.chain, hint: 'check --rpc-url and --chain-id' });
  }
  const chain = defineChain({ id, name: `chain ${id}`, nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: urls } } });
  return askingAgain(createPublicClient({ chain, transport, pollingInterval: options.pollInterval ?? 2_000, cacheTime: 0 }));
}

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

function transportFor(urls: readonly string[], options: ConnectOptions): Transport {
  const each = urls.map((url): HttpTransport => http(url, { retryCount: options.retryCount ?? 5, retryDelay: options.retryDelay ?? 200, timeout: options.timeout ?? 20_000 }));
  return each.length === 1 && each[0] !== undefined ? each[0] : fallback(each);
}
