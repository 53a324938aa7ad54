import { bytesToHex } from 'viem';
import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { buildLande } from '../../../kernels/models/lande/program.ts';
import { createApi } from '../../api/api.ts';
import { serveApi } from '../../api/server.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../../devnet.ts';
import type { Devnet } from '../../devnet.ts';
import { executorByName } from '../../executors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { createLogger } from '../../log.ts';
import type { AssayNode } from '../../node.ts';
import { aborted, createClosing, shutdownSignal } from '../../shutdown.ts';
import { openBundle } from '../bundles.ts';
import type { DevnetFlags } from '../commands/devnet.ts';
import { print, printAnswer } from '../output.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Wei that an inference costs. */
const FEE = 10n ** 15n;

/** Runs a development chain until Ctrl-C. @throws UserError */
export async function runDevnet(flags: DevnetFlags): Promise<void> {
  const signal = shutdownSignal();
  const models: Model[] = [buildLande(await loadLandePackage())];
  for (const directory of flags.model) models.push((await openBundle(directory)).model);
  const closing = createClosing();
  try {
    const sequencerExecutor = await executorByName(flags.executor);
    closing.add(() => sequencerExecutor.dispose());
    const watcherExecutor = await executorByName(flags.watcherExecutor);
    closing.add(() => watcherExecutor.dispose());
    showStatus('starting a chain, and deploying the contracts');
    const devnet = await startDevnet({
      models: models.map((model) => ({ model, fee: FEE })),
      sequencerExecutor, watcherExecutor,
      log: createLogger({ level: flags.logLevel }),
      parameters: { window: BigInt(flags.window) },
      ...(flags.port === undefined ? {} : { port: flags.port }),
      ...(flags.dataDirectory === undefined ? {} : { dataDirectory: flags.dataDirectory }),
    });
    closing.add(() => devnet.stop());
    const api = await serveApi(apiOf(devnet.sequencer), { host: '127.0.0.1', port: flags.apiPort });
    closing.add(() => api.close());
    clearStatus();
    if (flags.json === true) await printAnswer(answerOf(devnet, api.url), true);
    else await printForPeople(devnet, api.url);
    await aborted(signal);
  } finally {
    await closing.close();
  }
}

function answerOf({ url, deployment, models, wallet }: Devnet, apiUrl: string): Readonly<Record<string, unknown>> {
  const { account } = wallet(DEVNET_ACCOUNTS.user);
  const { privateKey } = account.getHdKey();
  return {
    rpcUrl: url,
    apiUrl,
    assertions: deployment.resultAssertions,
    startBlock: Number(deployment.block),
    models: models.map(({ modelId, contract, dApp, encoded: { model: { program } } }) => ({ modelId, name: program.name, signature: program.signature, contract, dApp })),
    account: account.address,
    privateKey: privateKey === null ? undefined : bytesToHex(privateKey),
  };
}

async function printForPeople(devnet: Devnet, apiUrl: string): Promise<void> {
  const { rpcUrl, assertions, models, account, privateKey } = answerOf(devnet, apiUrl) as { rpcUrl: string; assertions: string; models: { signature: string; contract: string; dApp?: string }[]; account: string; privateKey: string };
  await print([
    `chain       ${rpcUrl}`,
    `API         ${apiUrl}`,
    `assertions  ${assertions}`,
    ...models.map(({ signature, contract, dApp }) => `model       ${signature} at ${contract}${dApp === undefined ? '' : `, example dApp at ${dApp}`}`),
    `account     ${account} is yours to use, key ${privateKey} (of every such chain, so worth nothing)`,
    '',
    'To ask the model, in another terminal:',
    '  assay import npm:lande --out lande',
    `  echo "Alle Menschen sind frei" | ASSAY_PRIVATE_KEY=${privateKey} assay request lande - --rpc-url ${rpcUrl} --assertions ${assertions}`,
    '',
    'Ctrl-C ends it all.',
  ].join('\n'));
}

function apiOf({ agent, context: { store, metrics, inference, log, client, self, contracts } }: AssayNode): ReturnType<typeof createApi> {
  return createApi({
    store, metrics, log,
    models: inference.models,
    status: () => agent.status(),
    identity: { chainId: client.chain.id, account: self, assertions: contracts.assertions },
  });
}
