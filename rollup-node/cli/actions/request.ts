import { setTimeout as pause } from 'node:timers/promises';
import { parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { inboxAbi, modelContractAbi, modelRegistryAbi } from '../../../contracts/abi/generated.ts';
import { commitTensor } from '../../../deterministic-runtime/commitment/tree.ts';
import { blockRanges } from '../../chain/block-ranges.ts';
import { connect } from '../../chain/client.ts';
import type { ChainClient } from '../../chain/client.ts';
import { readContracts } from '../../chain/contracts.ts';
import { loadAccount } from '../../config.ts';
import type { Config } from '../../config.ts';
import { ExitCode, UserError } from '../../errors.ts';
import { encodeModelCall, resultElements } from '../../model-call.ts';
import { readableOutput, readModelInput, requestElements, resultWords } from '../../model-values.ts';
import { openBundle } from '../bundles.ts';
import type { RequestFlags } from '../commands/request.ts';
import { configOf } from '../configuration.ts';
import { readInputFile } from '../files.ts';
import { settingsOf } from '../options.ts';
import { hex, printAnswer } from '../output.ts';
import { sendOnce } from '../send-once.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Milliseconds between looks at the chain. */
const POLL_INTERVAL = 200;
/** `RequestStatus` of the inbox. */
const DELIVERED = 2;
const REFUNDED = 3;

/** Asks a model for an inference. Nothing is paid unless the input fits and the model is published. @throws UserError */
export async function sendRequest(directory: string, inputFile: string, flags: RequestFlags): Promise<void> {
  const { finality, timeout, wait, contract: chosen, json, seed } = flags;
  const { modelId: id, model } = await openBundle(directory);
  const elements = requestElements(model, readModelInput(model, await readInputFile(inputFile), settingsOf(flags)));
  const { signature } = model.program;
  const data = encodeModelCall(signature, elements, { finality: finality === 'final' ? 1 : 0, callbackGas: 0, deadlineSeconds: 0n, seed: seed === undefined ? zeroHash : hex(seed) });
  const config = await configOf(flags);
  const account = await loadAccount(config);
  showStatus(`connecting to ${config.rpcUrl.join(', ')}`);
  const client = await connect({ rpcUrl: config.rpcUrl, chainId: config.chainId, pollInterval: POLL_INTERVAL, retryCount: 2 });
  const { registry, inbox } = await readContracts(client, config.assertions);
  const modelId = hex(id);
  const contract = chosen === undefined ? await cheapestContract(client, registry, modelId, config) : await checkedContract(client, registry, modelId, chosen);
  const fee = await client.readContract({ address: contract, abi: modelContractAbi, functionName: 'fee', args: [0] });
  const { logs, transactionHash, blockNumber } = await sendOnce(client, account, { to: contract, data, value: fee }, 'the request');
  const [requested] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs });
  if (requested === undefined) throw new UserError(`transaction ${transactionHash} made no request`, { exitCode: ExitCode.chain });
  const { requestId, deadline } = requested.args;
  const asked = { requestId, modelId, contract, transaction: transactionHash, fee };
  if (!wait) return printAnswer(asked, json === true);
  clearStatus();
  console.error(`request ${requestId} is paid for; its result is awaited`);
  await delivery(client, inbox, requestId, { deadline, timeout });
  const delivered = await deliveredEvent(client, inbox, requestId, blockNumber, config.logRange);
  const output = resultWords(model, resultElements(signature, delivered.result));
  return printAnswer({ ...asked, assertionId: delivered.assertionId, outputRoot: hex(commitTensor(output)), output: readableOutput(model, output) }, json === true);
}

/** The contract that the user named, once it is known to be the model's. */
async function checkedContract(client: ChainClient, registry: Address, modelId: Hex, contract: Address): Promise<Address> {
  const found = await client.readContract({ address: registry, abi: modelRegistryAbi, functionName: 'modelIdOf', args: [contract] });
  if (found === modelId) return contract;
  throw new UserError(`${contract} is no contract of the model ${modelId}`, { hint: 'check --contract and the bundle', exitCode: ExitCode.chain });
}

/** The cheapest contract of a model. */
async function cheapestContract(client: ChainClient, registry: Address, modelId: Hex, { startBlock, logRange }: Config): Promise<Address> {
  showStatus('looking for the model\'s contract');
  let cheapest: { readonly model: Address; readonly fee: bigint } | undefined;
  for await (const range of blockRanges(client, BigInt(startBlock), logRange)) {
    const events = await client.getContractEvents({ address: registry, abi: modelRegistryAbi, eventName: 'ModelRegistered', args: { modelId }, ...range, strict: true });
    for (const { args } of events) if (cheapest === undefined || args.fee < cheapest.fee) cheapest = args;
  }
  if (cheapest === undefined) throw new UserError(`nobody has published model ${modelId} on chain ${client.chain.id}`, { hint: 'check the bundle, --assertions and --start-block', exitCode: ExitCode.chain });
  return cheapest.model;
}

/** Waits until a request is delivered. @throws UserError when that will not happen any more, or not in time */
async function delivery(client: ChainClient, inbox: Address, requestId: Hex, { deadline, timeout }: { readonly deadline: bigint; readonly timeout: number }): Promise<void> {
  const begun = performance.now();
  const fail = (message: string, hint: string): UserError => new UserError(message, { exitCode: ExitCode.chain, hint });
  const refund = `its fee is refunded to whoever calls refund(${requestId}) of the inbox ${inbox}`;
  for (;;) {
    const { status } = await client.readContract({ address: inbox, abi: inboxAbi, functionName: 'requestOf', args: [requestId] });
    if (status === DELIVERED) return;
    if (status === REFUNDED) throw fail(`request ${requestId} was refunded: nobody answered it in time`, 'ask again');
    const seconds = (performance.now() - begun) / 1_000;
    if ((await client.getBlock()).timestamp >= deadline) throw fail(`nobody answered request ${requestId} before its deadline`, refund);
    if (seconds > timeout) throw fail(`request ${requestId} was not answered within ${timeout} seconds`, 'it stays in the inbox: it is answered later, or can be refunded after its deadline');
    showStatus(`waiting for the result, ${Math.round(seconds)} s`);
    await pause(POLL_INTERVAL);
  }
}

/** Looks for the event of a delivery, which an endpoint may show a little later than the state that it left. */
const EVENT_ATTEMPTS = 25;

async function deliveredEvent(client: ChainClient, inbox: Address, requestId: Hex, fromBlock: bigint, logRange: number): Promise<{ readonly assertionId: Hex; readonly result: Hex }> {
  for (let attempt = 0; attempt < EVENT_ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(POLL_INTERVAL);
    for await (const range of blockRanges(client, fromBlock, logRange)) {
      const [event] = await client.getContractEvents({ address: inbox, abi: inboxAbi, eventName: 'Delivered', args: { requestId }, ...range, strict: true });
      if (event !== undefined) return event.args;
    }
  }
  throw new UserError(`request ${requestId} was delivered, but ${client.chain.name} does not show the event`, { exitCode: ExitCode.chain, hint: 'try another --rpc-url' });
}
