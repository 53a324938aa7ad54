import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { createWalletClient, http, parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { inboxAbi, modelContractAbi, modelRegistryAbi } from '../../../contracts/abi/generated.ts';
import { readBundleDirectory } from '../../bundle-files.ts';
import { connect } from '../../chain/client.ts';
import type { ChainClient } from '../../chain/client.ts';
import { readContracts } from '../../chain/contracts.ts';
import { loadAccount } from '../../config.ts';
import { ExitCode, UserError } from '../../errors.ts';
import { localModel } from '../../inference/models.ts';
import { decodeModelResult, encodeModelCall } from '../../model-call.ts';
import { readModelInput, requestElements } from '../../model-values.ts';
import { addConfigOptions, configOf } from '../config-options.ts';
import { readInputFile } from '../files.ts';
import { jsonOption, wholeNumber } from '../options.ts';
import { printAnswer } from '../output.ts';

interface RequestFlags extends Record<string, unknown> {
  readonly finality: 'asserted' | 'final';
  readonly timeout: number;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** `assay request <model> <input>`: asks a model on a chain, and waits for the answer. */
export function requestCommand(): Command {
  return addConfigOptions(new Command('request'), ['rpcUrl', 'chainId', 'assertions', 'startBlock', 'keyFile', 'logRange'])
    .description('ask a model on a chain for an inference, and wait for its result')
    .argument('<model>', 'directory of the model\'s bundle')
    .argument('<input>', 'the raw elements, as for `assay run`; - for standard input')
    .addOption(new Option('--finality <when>', 'deliver the result once it is asserted, or once it is final').choices(['asserted', 'final']).default('final'))
    .addOption(new Option('--timeout <seconds>', 'how long to wait for the result').argParser(wholeNumber(1, 10_000_000)).default(3_600))
    .option('--no-wait', 'print the request\'s id and end')
    .addOption(jsonOption())
    .action(async (directory: string, inputFile: string, { finality, timeout, wait, json, ...settings }: RequestFlags) => {
      const model = await readBundleDirectory(directory);
      const elements = requestElements(model, readModelInput(model, await readInputFile(inputFile)));
      const config = await configOf(settings);
      const account = await loadAccount(config);
      const client = await connect({ rpcUrl: config.rpcUrl, chainId: config.chainId, pollInterval: 200 });
      const { registry, inbox } = await readContracts(client, config.assertions);
      const { modelId } = localModel(model);
      const contract = await findContract(client, registry, modelId, BigInt(config.startBlock));
      const { signature } = model.program;
      const value = await client.readContract({ address: contract, abi: modelContractAbi, functionName: 'fee', args: [0] });
      const data = encodeModelCall(signature, elements, { finality: finality === 'final' ? 1 : 0, callbackGas: 0, deadlineSeconds: 0n, seed: zeroHash });
      const wallet = createWalletClient({ account, chain: client.chain, transport: http(config.rpcUrl) });
      const hash = await wallet.sendTransaction({ to: contract, data, value });
      const { logs, blockNumber } = await client.waitForTransactionReceipt({ hash });
      const [requested] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs });
      if (requested === undefined) throw new UserError(`transaction ${hash} made no request`, { exitCode: ExitCode.chain });
      const { requestId } = requested.args;
      const asked = { requestId, modelId, contract, transaction: hash, fee: value };
      if (!wait) return printAnswer(asked, json === true);
      const delivered = await waitForDelivery(client, inbox, requestId, blockNumber, timeout);
      printAnswer({ ...asked, assertionId: delivered.assertionId, output: decodeModelResult(signature, delivered.result) }, json === true);
    });
}

/** The cheapest contract of a model. */
async function findContract(client: ChainClient, registry: Address, modelId: Hex, fromBlock: bigint): Promise<Address> {
  const events = await client.getContractEvents({ address: registry, abi: modelRegistryAbi, eventName: 'ModelRegistered', args: { modelId }, fromBlock, strict: true });
  const [cheapest] = events.map(({ args }) => args).sort((left, right) => (left.fee < right.fee ? -1 : left.fee > right.fee ? 1 : 0));
  if (cheapest === undefined) throw new UserError(`nobody has published model ${modelId} on chain ${client.chain.id}`, { hint: 'check the bundle, --assertions and --start-block', exitCode: ExitCode.chain });
  return cheapest.model;
}

async function waitForDelivery(client: ChainClient, inbox: Address, requestId: Hex, fromBlock: bigint, seconds: number): Promise<{ readonly assertionId: Hex; readonly result: Hex }> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const [delivered] = await client.getContractEvents({ address: inbox, abi: inboxAbi, eventName: 'Delivered', args: { requestId }, fromBlock, strict: true });
    if (delivered !== undefined) return delivered.args;
    if (performance.now() > end) throw new UserError(`request ${requestId} was not answered within ${seconds} seconds`, { hint: 'it stays in the inbox: it is answered later, or can be refunded after its deadline', exitCode: ExitCode.chain });
    await pause(200);
  }
}
