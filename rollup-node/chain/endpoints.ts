import { BaseError, RpcRequestError, custom, hexToBigInt, http, numberToHex } from 'viem';
import type { Transport } from 'viem';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { agreed, canonicalAnswer, EndpointsDisagreeError, isPinned, pinnedTo, Reverted, subjectOf } from './agreement.ts';
import type { RpcCall, Vote } from './agreement.ts';

export interface EndpointsOptions {
  readonly urls: readonly string[];
  /** Chain that an endpoint has to serve; that of the first one that answers when absent. */
  readonly chainId?: number | undefined;
  /** Endpoints that have to say the same before it is believed. */
  readonly quorum?: number;
  /** Blocks that an endpoint may be behind the middle one. */
  readonly maximumLag?: number;
  /** Milliseconds that one request may take. */
  readonly timeout?: number;
  /** Milliseconds before an endpoint that failed is asked again; doubles with every failure, up to `longestPause`. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  readonly log?: Logger | undefined;
  /** Milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** Why an endpoint is left out; `usable` when it is not. */
export type EndpointState = 'unknown' | 'usable' | 'failing' | 'behind' | 'ahead' | 'deviating' | 'wrong-chain';

export interface EndpointStatus {
  /** Place in the configuration and host: a URL may hold an access key. */
  readonly name: string;
  readonly state: EndpointState;
  readonly reason?: string;
  /** Its newest block when it was last asked. */
  readonly head?: bigint;
  /** Blocks behind the block that is followed; negative when it is ahead. */
  readonly lag?: number;
  readonly failures: number;
}

/** Several endpoints of one chain as one. */
export interface Endpoints {
  readonly transport: Transport;
  status(): readonly EndpointStatus[];
  /** What they contradict each other about with no majority, until they agree about it or it was not asked for ten minutes; the latest first. */
  contradictions(): readonly Contradiction[];
}

/** Something that endpoints say differently, so that none is believed. */
export interface Contradiction {
  /** Names of the endpoints. */
  readonly endpoints: readonly string[];
  /** What it is about, who says the same, and what to do. */
  readonly text: string;
}

interface Endpoint {
  readonly name: string;
  readonly request: (call: RpcCall) => Promise<unknown>;
  state: EndpointState;
  reason: string | undefined;
  head: bigint | undefined;
  /** In all, and since it last was usable. */
  failures: number;
  inARow: number;
  notBefore: number;
  chainChecked: boolean;
}

/** Thrown when fewer endpoints are left than have to agree. */
export class TooFewEndpointsError extends BaseError {
  readonly code = -32_098;
  constructor(usable: number, quorum: number, reasons: readonly string[]) {
    super(`${usable} endpoints can be used, ${quorum} have to agree: ${reasons.join('; ')}`, { name: 'TooFewEndpointsError' });
  }
}

/**
 * Several endpoints of one chain behind one transport.
 *
 * - The newest block is the highest that all usable endpoints have; those that are far behind the middle one, or far ahead of it, are left out.
 * - What a block number pins down (that block, logs, storage, calls) is asked of all, and believed if a majority of at least the quorum says the same. The newest state is read
 *   at the newest block that all have, and so as well: what contracts say of stakes, terms and credits decides about money.
 * - Transactions go to all, whatever their state: one that is accepted and dropped by one endpoint gets in through another. Receipts are asked of all, too.
 * - Of nonces and fees at the newest state the middle one counts. That a transaction would revert is believed if all say so.
 * - Everything else is asked of one endpoint after another until one answers.
 *
 * An endpoint that fails, contradicts the others or serves another chain is left alone for a while that grows, and then asked again.
 */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { urls, quorum = 1, maximumLag = 5, firstPause = 1_000, longestPause = 60_000, log } = options;
  const now = options.now ?? Date.now;
  const endpoints = urls.map((url, index): Endpoint => {
    const { request } = http(url, { retryCount: 0, timeout: options.timeout ?? 10_000 })({});
    return { name: endpointName(url, index), request: request as Endpoint['request'], state: 'unknown', reason: undefined, head: undefined, failures: 0, inARow: 0, notBefore: 0, chainChecked: false };
  });
  let chainId = options.chainId;
  let followed: bigint | undefined;
  const contradicted = new Map<string, Contradiction & { readonly at: number }>();

  const enter = (endpoint: Endpoint, state: EndpointState, reason?: string): void => {
    if (endpoint.state !== state && (state !== 'usable' || endpoint.state !== 'unknown')) {
      if (state === 'usable') log?.info({ endpoint: endpoint.name }, 'endpoint is used again');
      else log?.warn({ endpoint: endpoint.name, state, reason }, 'endpoint is left out');
    }
    endpoint.state = state;
    endpoint.reason = reason;
  };

  const leaveAlone = (endpoint: Endpoint, state: 'failing' | 'deviating' | 'wrong-chain', reason: string): void => {
    enter(endpoint, state, reason);
    endpoint.failures += 1;
    endpoint.inARow += 1;
    endpoint.notBefore = now() + Math.min(firstPause * 2 ** (endpoint.inARow - 1), longestPause);
    endpoint.chainChecked = false;
  };

  /** Asks one endpoint; one that does not answer is left alone. An error that it answers with is an answer. */
  const ask = async (endpoint: Endpoint, call: RpcCall): Promise<unknown> => {
    try {
      return await endpoint.request(call);
    } catch (error) {
      if (!wasAnswered(error)) leaveAlone(endpoint, 'failing', reasonOf(error));
      throw error;
    }
  };

  const checkChain = async (endpoint: Endpoint): Promise<void> => {
    if (endpoint.chainChecked) return;
    const id = Number(await ask(endpoint, { method: 'eth_chainId' }));
    chainId ??= id;
    if (id !== chainId) {
      leaveAlone(endpoint, 'wrong-chain', `it serves chain ${id}, not ${chainId}`);
      throw new BaseError(`${endpoint.name} serves chain ${id}, not ${chainId}`);
    }
    endpoint.chainChecked = true;
  };

  const usable = (): Endpoint[] => endpoints.filter(({ state }) => state === 'usable');
  const complaints = (): string[] => endpoints.filter(({ state }) => state !== 'usable').map(({ name, state, reason }) => `${name} is ${state}${reason === undefined ? '' : ` (${reason})`}`);

  /** The endpoint's newest block; undefined, and left alone, when it has none or is of no use. */
  const headOf = async (endpoint: Endpoint): Promise<bigint | undefined> => {
    try {
      await checkChain(endpoint);
      const block = (await ask(endpoint, { method: 'eth_getBlockByNumber', params: ['latest', false] })) as { readonly number?: unknown } | null;
      if (typeof block?.number !== 'string') throw new BaseError('it has no newest block');
      return hexToBigInt(block.number as `0x${string}`);
    } catch (error) {
      // An error that it answered with was not noted yet; a working endpoint gives none here.
      if (endpoint.notBefore <= now()) leaveAlone(endpoint, 'failing', reasonOf(error));
      return undefined;
    }
  };

  /** Finds out which endpoints can be used; gives the newest block that all of them have. */
  const survey = async (): Promise<bigint> => {
    const asked = endpoints.filter(({ notBefore }) => notBefore <= now());
    // Without a configured chain, the first endpoint that answers says which it is: one after another, so that it is not the fastest.
    for (const endpoint of asked) if (chainId === undefined) await checkChain(endpoint).catch(() => undefined);
    const found = await Promise.all(asked.map(async (endpoint) => ({ endpoint, head: await headOf(endpoint) })));
    const answered = found.filter((entry): entry is { endpoint: Endpoint; head: bigint } => entry.head !== undefined);
    const heads = answered.map(({ head }) => head).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
    const middle = heads[Math.floor((heads.length - 1) / 2)] ?? 0n;
    for (const { endpoint, head } of answered) {
      endpoint.head = head;
      const lag = middle - head;
      if (lag > BigInt(maximumLag)) enter(endpoint, 'behind', `its newest block is ${lag} blocks older than the others'`);
      else if (-lag > BigInt(maximumLag)) enter(endpoint, 'ahead', `its newest block is ${-lag} blocks ahead of the others'`);
      else enter(endpoint, 'usable');
    }
    const left = usable();
    if (left.length < Math.max(1, quorum)) throw new TooFewEndpointsError(left.length, Math.max(1, quorum), complaints());
    followed = left.map(({ head }) => head ?? 0n).reduce((low, head) => (head < low ? head : low));
    return followed;
  };

  const look = async (params: readonly unknown[]): Promise<unknown> => together({ method: 'eth_getBlockByNumber', params: [numberToHex(await survey()), params[1] ?? false] });

  let surveying: Promise<bigint> | undefined;
  /** Of reads that come at the same time one survey is made. */
  const newestBlock = async (): Promise<string> => {
    surveying ??= survey().finally(() => { surveying = undefined; });
    return numberToHex(await surveying);
  };

  /** Asks all usable endpoints, and believes what enough of them say. */
  const together = async (call: RpcCall): Promise<unknown> => {
    const { votes, refusals, asked } = await poll(call);
    // One that refuses (a range that is too long for it) is no voice for or against, as long as most of them answer.
    if (refusals.length > 0 && 2 * votes.length <= asked) throw refusals[0];
    if (votes.length < quorum) throw refusals[0] ?? new TooFewEndpointsError(votes.length, quorum, complaints());
    const { answer, deviating } = agreement(call, votes);
    for (const endpoint of endpoints) {
      if (deviating.includes(endpoint.name)) leaveAlone(endpoint, 'deviating', `it contradicts the others about ${call.method}`);
      else if (votes.some(({ name }) => name === endpoint.name)) endpoint.inARow = 0;
    }
    if (answer instanceof Reverted) throw answer.error;
    return answer;
  };

  /** Notes what they contradict each other about, until they agree. */
  const agreement = (call: RpcCall, votes: readonly Vote[]): ReturnType<typeof agreed> => {
    const subject = subjectOf(call);
    contradicted.delete(subject);
    try {
      return agreed(call.method, votes, quorum, subject);
    } catch (error) {
      if (error instanceof EndpointsDisagreeError) contradicted.set(subject, { endpoints: error.camps.flat(), text: error.shortMessage, at: now() });
      throw error;
    }
  };

  const poll = async (call: RpcCall): Promise<{ readonly votes: Vote[]; readonly refusals: unknown[]; readonly asked: number }> => {
    if (usable().length === 0) await look([]);
    const askedOf = usable();
    const votes: Vote[] = [];
    const refusals: unknown[] = [];
    await Promise.all(askedOf.map(async (endpoint) => {
      try {
        votes.push({ name: endpoint.name, answer: await ask(endpoint, call) });
      } catch (error) {
        const revert = call.method === 'eth_call' ? revertIn(error) : undefined;
        if (revert !== undefined) votes.push({ name: endpoint.name, answer: revert });
        else if (wasAnswered(error)) refusals.push(error);
      }
    }));
    // In the order of the configuration, whoever answers first: messages must not change with it.
    votes.sort((one, other) => askedOf.findIndex(({ name }) => name === one.name) - askedOf.findIndex(({ name }) => name === other.name));
    return { votes, refusals, asked: askedOf.length };
  };

  /** Receipts come to one endpoint before the other: any that is known counts, unless most do not know it. */
  const receipt = async (call: RpcCall): Promise<unknown> => {
    const { votes, refusals } = await poll(call);
    if (votes.length === 0) throw refusals[0] ?? new TooFewEndpointsError(0, quorum, complaints());
    const known = votes.filter(({ answer }) => answer !== null && answer !== undefined);
    if (known.length === 0 || 2 * (votes.length - known.length) > votes.length) return null;
    const counts = new Map(known.map(({ answer }) => [canonicalAnswer(call.method, answer), answer] as const));
    return counts.size === 1 ? known[0]?.answer : agreed(call.method, known, 1).answer;
  };

  /** A transaction goes to all, to those that are left out, too; it is sent once any has taken it. */
  const broadcast = async (call: RpcCall): Promise<unknown> => {
    const sent = endpoints.filter(({ state }) => state !== 'wrong-chain').map((endpoint) => ask(endpoint, call));
    return Promise.any(sent).catch((failure: AggregateError) => {
      const errors: readonly unknown[] = failure.errors;
      throw errors.find(wasAnswered) ?? errors[0] ?? new TooFewEndpointsError(0, 1, complaints());
    });
  };

  /** Numbers that change from block to block: the middle one, so that one endpoint cannot lead astray; of two the higher. */
  const middleOf = async (call: RpcCall): Promise<unknown> => {
    const { votes, refusals } = await poll(call);
    const numbers = votes.map(({ answer }) => BigInt(answer as string)).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
    const middle = numbers[Math.floor((numbers.length - 1) / 2)];
    if (middle === undefined) throw refusals[0] ?? new TooFewEndpointsError(0, 1, complaints());
    return numberToHex(middle);
  };

  const inTurn = async (call: RpcCall): Promise<unknown> => {
    if (usable().length === 0) await look([]);
    let failure: unknown;
    for (const endpoint of usable()) {
      try {
        return await ask(endpoint, call);
      } catch (error) {
        // That a transaction would revert is believed if all say so: else one liar could keep every move from being sent.
        if (wasAnswered(error) && !isOwnTrouble(error) && !ESTIMATES.has(call.method)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new TooFewEndpointsError(0, 1, complaints());
  };

  const request = (call: RpcCall): Promise<unknown> => {
    const params = Array.isArray(call.params) ? (call.params as readonly unknown[]) : [];
    if (call.method === 'eth_getBlockByNumber' && params[0] === 'latest') return look(params);
    if (call.method === 'eth_sendRawTransaction') return broadcast(call);
    if (call.method === 'eth_getTransactionReceipt') return receipt(call);
    if (isPinned(call)) return together(call);
    const pinned = pinnedTo(call, newestBlock);
    if (pinned !== undefined) return pinned.then(together);
    return NUMBERS.has(call.method) ? middleOf(call) : inTurn(call);
  };

  return {
    contradictions: () => [...contradicted.values()].filter(({ at }) => now() - at < CONTRADICTION_MEMORY).reverse(),
    transport: custom({ request: request as (call: RpcCall) => Promise<never> }, { retryCount: 0 }),
    status: () => endpoints.map(({ name, state, reason, head, failures }) => ({
      name, state, failures,
      ...(reason === undefined ? {} : { reason }),
      ...(head === undefined ? {} : { head }),
      ...(head === undefined || followed === undefined ? {} : { lag: Number(followed - head) }),
    })),
  };
}

/** Milliseconds for which a contradiction is told that nobody asked about again. */
const CONTRADICTION_MEMORY = 600_000;

/** `2:mainnet.example.org`: the rest of a URL may be a secret. */
export function endpointName(url: string, index: number): string {
  try {
    return `${index + 1}:${new URL(url).host}`;
  } catch {
    return String(index + 1);
  }
}

/** Methods that answer with a number which changes with every block. */
const NUMBERS: ReadonlySet<string> = new Set(['eth_getTransactionCount', 'eth_gasPrice', 'eth_maxPriorityFeePerGas', 'eth_blobBaseFee']);

/** Methods that fail for a transaction that would revert. */
const ESTIMATES: ReadonlySet<string> = new Set(['eth_estimateGas', 'eth_fillTransaction']);

/** True for an error that an endpoint answered with, as opposed to no answer. */
const wasAnswered = (error: unknown): boolean => error instanceof BaseError && error.walk((link) => link instanceof RpcRequestError) !== null;

/** Code of an error that comes with what a call reverted with (go-ethereum, and others after it). */
const REVERTED = 3;

/** A revert, if that is what an endpoint answered with: as much an answer about the state as any other. */
function revertIn(error: unknown): Reverted | undefined {
  const link = error instanceof BaseError ? (error.walk((part) => part instanceof RpcRequestError) as RpcRequestError | null) : null;
  if (link === null || (link.code !== REVERTED && !/revert/i.test(link.details))) return undefined;
  return new Reverted(error, typeof link.data === 'string' ? link.data : '0x');
}

/** JSON-RPC errors that are about the endpoint and not about the call: internal, unsupported, limits (EIP-1474). */
const OWN_TROUBLE: ReadonlySet<number> = new Set([-32_603, -32_601, -32_002, -32_004, -32_005]);

function isOwnTrouble(error: unknown): boolean {
  const link = error instanceof BaseError ? (error.walk((part) => part instanceof RpcRequestError) as RpcRequestError | null) : null;
  return link !== null && OWN_TROUBLE.has(link.code);
}
