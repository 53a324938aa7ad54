import { createTestClient, http, parseEventLogs } from 'viem';
import type { Address, Hex } from 'viem';
import { inboxAbi, modelContractAbi } from '../../contracts/abi/generated.ts';
import type { Devnet } from '../devnet.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { encodeModelCall } from '../model-call.ts';
import type { CallOptions } from '../model-call.ts';
import type { AssayNode } from '../node.ts';
import type { RequestRecord } from '../store/tables.ts';

const ZERO: Hex = `0x${'00'.repeat(32)}`;

/** Options of a request without callback. */
export const callOptions = (finality: CallOptions['finality'], deadlineSeconds = 0n): CallOptions => ({ finality, callbackGas: 0, deadlineSeconds, seed: ZERO });

/** Asks a model for an inference from the user's account, and gives the request's id. */
export async function ask(devnet: Devnet, contract: Address, signature: string, elements: Uint8Array, options?: CallOptions): Promise<Hex> {
  const wallet = devnet.wallet(DEVNET_ACCOUNTS.user);
  const value = await devnet.client.readContract(options === undefined
    ? { address: contract, abi: modelContractAbi, functionName: 'defaultFee' }
    : { address: contract, abi: modelContractAbi, functionName: 'fee', args: [options.callbackGas] });
  const hash = await wallet.sendTransaction({ to: contract, data: encodeModelCall(signature, elements, options), value });
  const { logs } = await devnet.client.waitForTransactionReceipt({ hash });
  const [event] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs });
  if (event === undefined) throw new Error('the inbox recorded no request');
  return event.args.requestId;
}

/** Moves the chain's clock forward, and mines a block then. */
export async function warp(devnet: Devnet, seconds: number): Promise<void> {
  const control = createTestClient({ mode: 'anvil', transport: http(devnet.url) });
  await control.increaseTime({ seconds });
  await control.mine({ blocks: 1 });
}

/** Waits until a node's store satisfies a condition. @throws Error when that takes too long */
export async function until<T>(probe: () => Promise<T | undefined | false>, what: string, timeout = 20_000): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${timeout} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The request once it was delivered, as a node's store has it. */
export const delivered = (node: AssayNode, requestId: Hex, timeout?: number): Promise<RequestRecord> =>
  until(async () => {
    const request = await node.context.store.get('requests', requestId);
    return request?.status === 'delivered' && request;
  }, `request ${requestId} delivered`, timeout);
