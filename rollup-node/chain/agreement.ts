import { BaseError } from 'viem';

/** A JSON-RPC call. */
export interface RpcCall {
  readonly method: string;
  readonly params?: unknown;
}

/** Where a method's parameters name the block that is read. */
const BLOCK_PARAMETER: Readonly<Record<string, number>> = {
  eth_getBlockByNumber: 0, eth_getBalance: 1, eth_getTransactionCount: 1, eth_getCode: 1, eth_call: 1, eth_getStorageAt: 2,
};

/** True for a read that names its block by number: every honest endpoint on the same chain answers it alike. */
export function isPinned({ method, params }: RpcCall): boolean {
  const list = Array.isArray(params) ? (params as readonly unknown[]) : [];
  if (method === 'eth_getLogs') {
    const { fromBlock, toBlock } = (list[0] ?? {}) as { fromBlock?: unknown; toBlock?: unknown };
    return isNumber(fromBlock) && isNumber(toBlock);
  }
  const position = BLOCK_PARAMETER[method];
  return position !== undefined && isNumber(list[position]);
}

/** Of methods that read the state, where their parameters name the block. A nonce at the newest state is no such read: it changes under way. */
const STATE_PARAMETER: Readonly<Record<string, number>> = { eth_getBalance: 1, eth_getCode: 1, eth_call: 1, eth_getStorageAt: 2 };

/** The same read of the state at a block, where a call asks for the newest, whatever that is by then; undefined for any other call. @param block in hex */
export function pinnedTo({ method, params }: RpcCall, block: () => Promise<string>): Promise<RpcCall> | undefined {
  const list = Array.isArray(params) ? (params as readonly unknown[]) : [];
  const position = STATE_PARAMETER[method];
  if (position === undefined || (list[position] !== undefined && list[position] !== 'latest')) return undefined;
  return block().then((number) => ({ method, params: [...list.slice(0, position), number, ...list.slice(position + 1)] }));
}

/** What a read is about, whichever block it is at: contradictions are told apart by it. */
export function subjectOf({ method, params }: RpcCall): string {
  const { to, data } = ((Array.isArray(params) ? (params as readonly unknown[])[0] : undefined) ?? {}) as { readonly to?: unknown; readonly data?: unknown };
  return method === 'eth_call' ? `${method} ${String(data).slice(0, SELECTOR)} of ${String(to)}` : method;
}

/** A function's selector, in hex digits. */
const SELECTOR = 10;

/** That a call reverts, as an answer. */
export class Reverted {
  readonly error: unknown;
  readonly data: string;
  constructor(error: unknown, data: string) {
    this.error = error;
    this.data = data;
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-f]+$/i.test(value);

/** An answer in a form in which answers that mean the same are equal: endpoints differ in letters' case, leading zeros and extra fields. */
export function canonicalAnswer(method: string, answer: unknown): string {
  if (answer === null || answer === undefined) return 'null';
  if (answer instanceof Reverted) return `reverted ${answer.data.toLowerCase()}`;
  switch (method) {
    case 'eth_getBlockByNumber':
      return fields(answer, ['number', 'hash', 'parentHash', 'timestamp', 'baseFeePerGas']);
    case 'eth_getTransactionReceipt':
      return fields(answer, ['transactionHash', 'blockHash', 'status', 'gasUsed']);
    case 'eth_getLogs':
      return (answer as readonly unknown[]).map((log) => fields(log, ['blockNumber', 'logIndex', 'blockHash', 'transactionHash', 'address', 'topics', 'data'])).sort().join('\n');
    case 'eth_getBalance':
    case 'eth_getTransactionCount':
    case 'eth_getStorageAt':
      return quantity(answer);
    default:
      return JSON.stringify(answer).toLowerCase();
  }
}

const fields = (record: unknown, names: readonly string[]): string =>
  names.map((name) => quantityOrText((record as Readonly<Record<string, unknown>>)[name])).join(' ');

/** Short numbers without leading zeros; hashes, addresses and data as they are. */
const quantityOrText = (value: unknown): string => (typeof value === 'string' && isNumber(value) && value.length < 42 ? quantity(value) : String(value).toLowerCase());

const quantity = (value: unknown): string => (typeof value === 'string' && isNumber(value) ? BigInt(value).toString() : String(value).toLowerCase().replace(/^0x$/, '0'));

/** Thrown when endpoints contradict each other and too few agree for any of them to be believed. */
export class EndpointsDisagreeError extends BaseError {
  /** No code of JSON-RPC: asking again at once mends nothing. */
  readonly code = -32_099;
  /** Names of the endpoints that say the same, for each thing that is said. */
  readonly camps: readonly (readonly string[])[];
  constructor(subject: string, camps: readonly (readonly string[])[], quorum: number) {
    const advice = camps.flat().length < 3 ? 'name a third in --rpc-url: then one alone is outvoted' : 'find out which are wrong, and take them out of --rpc-url';
    super(`endpoints disagree about ${subject}: ${camps.map((camp) => camp.join(' and ')).join(' against ')}; nothing is believed that is not said by a majority of at least ${quorum}: ${advice}`, { name: 'EndpointsDisagreeError' });
    this.camps = camps;
  }
}

/** True if an error is, or comes from, endpoints that contradict each other. */
export const isDisagreement = (error: unknown): boolean => error instanceof BaseError && error.walk((link) => link instanceof EndpointsDisagreeError) !== null;

/** One endpoint's answer. */
export interface Vote {
  readonly name: string;
  readonly answer: unknown;
}

/**
 * The answer that more than half of the votes and at least `quorum` of them give, and the names of those that gave another.
 * @throws EndpointsDisagreeError when there is none
 */
export function agreed(method: string, votes: readonly Vote[], quorum: number, subject = method): { readonly answer: unknown; readonly deviating: readonly string[] } {
  const camps = new Map<string, Vote[]>();
  for (const vote of votes) {
    const key = canonicalAnswer(method, vote.answer);
    camps.set(key, [...(camps.get(key) ?? []), vote]);
  }
  const largest = [...camps.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  const [first] = largest;
  if (first === undefined || largest.length < quorum || 2 * largest.length <= votes.length) {
    throw new EndpointsDisagreeError(subject, [...camps.values()].map((camp) => camp.map(({ name }) => name)), quorum);
  }
  return { answer: first.answer, deviating: votes.filter((vote) => !largest.includes(vote)).map(({ name }) => name) };
}
