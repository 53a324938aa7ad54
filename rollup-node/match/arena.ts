import { parseEventLogs } from 'viem';
import type { Address, Hex, TransactionReceipt } from 'viem';
import { inboxAbi, modelContractAbi } from '../../contracts/abi/generated.ts';
import { deploy, DEVNET_PARAMETERS } from '../../contracts/deploy.ts';
import type { Deployment, DeploymentParameters } from '../../contracts/deploy.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { startAnvil } from '../anvil.ts';
import type { Anvil } from '../anvil.ts';
import { blobArguments, networkForm, sidecarOf, versionedHashesOf } from '../chain/blobs.ts';
import { connect } from '../chain/client.ts';
import type { ChainClient } from '../chain/client.ts';
import { developmentWallets } from '../chain/development-wallets.ts';
import type { DevelopmentWallet } from '../chain/development-wallets.ts';
import { registerModel } from '../chain/register-model.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import { kzg } from '../kzg.ts';
import { encodeModelCall } from '../model-call.ts';

/** A development chain with the contracts on it, for disputes that one process plays by itself. */
export interface Arena {
  readonly client: ChainClient;
  readonly deployment: Deployment;
  /** A funded account of its own for each number. */
  wallet(index: number): DevelopmentWallet;
  /** Sends a transaction and waits for it. @throws Error when it reverts */
  send(wallet: DevelopmentWallet, transaction: Pick<TransactionIntent, 'to' | 'data' | 'value' | 'blobs'>): Promise<TransactionReceipt>;
  /** Publishes a model; the same model twice has the same contract. */
  register(model: EncodedModel): Promise<Address>;
  /** Asks a model for an inference. @param elements what the request carries */
  request(model: EncodedModel, contract: Address, elements: Uint8Array): Promise<Hex>;
  close(): Promise<void>;
}

/** Starts a chain and deploys. @throws UserError when anvil is missing */
export async function openArena(parameters: DeploymentParameters = DEVNET_PARAMETERS): Promise<Arena> {
  const anvil: Anvil = await startAnvil();
  try {
    const client = await connect({ rpcUrl: anvil.url, pollInterval: 10 });
    const wallet = developmentWallets(client.chain, anvil.url);
    const deployment = await deploy(wallet(0), client, parameters);

    const send: Arena['send'] = async (from, { to, data, value = 0n, blobs = [] }) => {
      const hash = await (blobs.length === 0 ? from.sendTransaction({ to, data, value }) : sendWithBlobs(client, from, { to, data, value, blobs }));
      const receipt = await client.waitForTransactionReceipt({ hash });
      if (receipt.status !== 'success') throw new Error(`transaction ${hash} to ${to} reverted`);
      return receipt;
    };

    return {
      client,
      deployment,
      wallet,
      send,
      register: (model) => registerModel(wallet(0), client, deployment.modelRegistry, model),
      request: async ({ model }, contract, elements) => {
        const value = await client.readContract({ address: contract, abi: modelContractAbi, functionName: 'defaultFee' });
        const { logs } = await send(wallet(0), { to: contract, data: encodeModelCall(model.program.signature, elements), value });
        const [event] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs });
        if (event === undefined) throw new Error('the inbox recorded no request');
        return event.args.requestId;
      },
      close: () => anvil.stop(),
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

/** Wei that a unit of blob gas may cost: a development chain asks for 1. */
const BLOB_GAS_PRICE = 10n ** 9n;

async function sendWithBlobs(client: ChainClient, { account }: DevelopmentWallet, { blobs, ...call }: Required<Pick<TransactionIntent, 'to' | 'data' | 'value' | 'blobs'>>): Promise<Hex> {
  const sidecar = sidecarOf(blobs, kzg);
  const blobVersionedHashes = versionedHashesOf(blobs, sidecar.commitments);
  const [gas, nonce, { maxFeePerGas, maxPriorityFeePerGas }] = await Promise.all([
    client.estimateGas({ account: account.address, ...call, ...blobArguments(blobVersionedHashes) }),
    client.getTransactionCount({ address: account.address, blockTag: 'pending' }),
    client.estimateFeesPerGas(),
  ]);
  const signed = await account.signTransaction({
    ...call, type: 'eip4844', chainId: client.chain.id, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas: BLOB_GAS_PRICE, blobVersionedHashes, sidecars: false,
  });
  return client.sendRawTransaction({ serializedTransaction: networkForm(signed, sidecar) });
}
