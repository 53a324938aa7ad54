import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hex, TransactionSerializable } from 'viem';

/** The call object of `eth_signTransaction`. */
export type SigningCall = Record<string, Hex> & { readonly blobVersionedHashes?: readonly Hex[] };

export interface SignerServer {
  readonly url: string;
  /** What it was asked to sign. */
  readonly calls: SigningCall[];
  close(): void;
}

/** Starts a remote signer that answers as a function says. @param accounts those that it says it has */
export async function startSigner(sign: (call: SigningCall) => Promise<unknown>, accounts: readonly string[]): Promise<SignerServer> {
  const calls: SigningCall[] = [];
  const answerTo = async (method: string, call: SigningCall | undefined): Promise<object> => {
    if (method === 'eth_accounts' || call === undefined) return { result: accounts };
    calls.push(call);
    try {
      return { result: await sign(call) };
    } catch (error) {
      return { error: { code: -32_602, message: (error as Error).message } };
    }
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      const { id, method, params } = JSON.parse(Buffer.concat(parts).toString()) as { id: number; method: string; params?: [SigningCall] };
      void answerTo(method, params?.[0]).then((answer) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...answer })));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, close: () => void server.close() };
}

/** What a signer's call object says. */
export function readSigningCall(call: SigningCall): TransactionSerializable {
  const common = {
    chainId: Number(call.chainId), to: call.to!, data: call.data!, value: BigInt(call.value!), gas: BigInt(call.gas!), nonce: Number(call.nonce),
    maxFeePerGas: BigInt(call.maxFeePerGas!), maxPriorityFeePerGas: BigInt(call.maxPriorityFeePerGas!),
  };
  if (call.type !== '0x3') return { ...common, type: 'eip1559' };
  return { ...common, type: 'eip4844', maxFeePerBlobGas: BigInt(call.maxFeePerBlobGas!), blobVersionedHashes: [...call.blobVersionedHashes!], sidecars: false };
}
