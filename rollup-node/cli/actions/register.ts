import { zeroAddress } from 'viem';
import type { Address } from 'viem';
import { modelRegistryAbi } from '../../../contracts/abi/generated.ts';
import { blockRanges } from '../../chain/block-ranges.ts';
import { connect } from '../../chain/client.ts';
import type { ChainClient } from '../../chain/client.ts';
import { readContracts } from '../../chain/contracts.ts';
import { encodeRegistration, registeredContract, simulateRegistration } from '../../chain/register-model.ts';
import { loadAccount } from '../../config.ts';
import type { Config } from '../../config.ts';
import { requestSize } from '../../request-size.ts';
import { openBundle } from '../bundles.ts';
import type { RegisterFlags } from '../commands/register.ts';
import { configOf } from '../configuration.ts';
import { hex, printAnswer } from '../output.ts';
import { sendOnce } from '../send-once.ts';
import { showStatus } from '../status.ts';

/** Milliseconds between looks at the chain. */
const POLL_INTERVAL = 200;

/** Publishes a model, or another place of its files. Nothing is sent unless the registry takes it, and it is new. @throws UserError */
export async function registerBundle(directory: string, flags: RegisterFlags): Promise<void> {
  const { fee, uri, json } = flags;
  const encoded = await openBundle(directory);
  const { signature } = encoded.model.program;
  const config = await configOf(flags);
  const account = await loadAccount(config);
  const registrant = account.address;
  showStatus(`connecting to ${config.rpcUrl.join(', ')}`);
  const client = await connect({ rpcUrl: config.rpcUrl, chainId: config.chainId, pollInterval: POLL_INTERVAL, retryCount: 2 });
  const { registry } = await readContracts(client, config.assertions);
  const registration = { fee, ...(uri === undefined ? {} : { uri }) };
  const modelId = hex(encoded.modelId);
  showStatus('asking the registry');
  const contract = await simulateRegistration(client, registrant, registry, encoded, registration);
  const isKnown = await client.readContract({ address: registry, abi: modelRegistryAbi, functionName: 'modelContract', args: [modelId, registrant, fee] }) !== zeroAddress;
  const isNewPlace = isKnown && uri !== undefined && uri !== await publishedUri(client, registry, contract, config);
  const action = !isKnown ? 'register' : isNewPlace ? 'publish-uri' : 'none';
  const { warning } = requestSize(encoded.model.program);
  const answer = { modelId, contract, signature, fee, uri, registrant, action, ...(json === true && warning !== undefined ? { warning } : {}) };
  const transaction = { to: registry, data: encodeRegistration(encoded, registration) };
  if (action === 'none') {
    await printAnswer(answer, json === true);
    console.error(`${registrant} has registered this model for this fee${uri === undefined ? '' : ' and place'} already: nothing is sent${uri === undefined ? '; --uri publishes another place of its files' : ''}`);
  } else if (config.dryRun) {
    await printAnswer({ ...answer, gas: Number(await client.estimateGas({ account: registrant, ...transaction })) }, json === true);
  } else {
    const receipt = await sendOnce(client, account, transaction, 'the registration');
    await printAnswer({ ...answer, contract: registeredContract(receipt), transaction: receipt.transactionHash }, json === true);
  }
  if (warning !== undefined) console.error(`warning: ${warning}`);
}

/** Where a contract's newest registration says that the model's files are. */
async function publishedUri(client: ChainClient, registry: Address, contract: Address, { startBlock, logRange }: Config): Promise<string | undefined> {
  showStatus('looking for what is published');
  let newest: string | undefined;
  for await (const range of blockRanges(client, BigInt(startBlock), logRange)) {
    const events = await client.getContractEvents({ address: registry, abi: modelRegistryAbi, eventName: 'ModelRegistered', args: { model: contract }, ...range, strict: true });
    newest = events.at(-1)?.args.uri ?? newest;
  }
  return newest;
}
