import { Command, Option } from 'commander';
import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { buildLande } from '../../../kernels/models/lande/program.ts';
import { createApi } from '../../api/api.ts';
import { serveApi } from '../../api/server.ts';
import { readBundleDirectory } from '../../bundle-files.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../../devnet.ts';
import { executorByName } from '../../executors.ts';
import type { ExecutorName } from '../../executors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { createLogger, LOG_LEVELS } from '../../log.ts';
import type { LogLevel } from '../../log.ts';
import type { AssayNode } from '../../node.ts';
import { aborted, createClosing, shutdownSignal } from '../../shutdown.ts';
import { executorOption, wholeNumber } from '../options.ts';

/** Wei that an inference costs. */
const FEE = 10n ** 15n;

interface DevnetFlags {
  readonly port?: number;
  readonly apiPort: number;
  readonly window: number;
  readonly executor: ExecutorName;
  readonly watcherExecutor: ExecutorName;
  readonly model: readonly string[];
  readonly dataDirectory?: string;
  readonly logLevel: LogLevel;
}

/** `assay devnet`: a whole rollup on this machine. */
export function devnetCommand(): Command {
  return new Command('devnet')
    .description('start a chain with the contracts, the embedded model, a sequencer and a watcher; runs until Ctrl-C')
    .addOption(new Option('--port <n>', 'the chain\'s port; any free one otherwise').argParser(wholeNumber(0, 65_535)))
    .addOption(new Option('--api-port <n>', 'the sequencer\'s HTTP API').argParser(wholeNumber(0, 65_535)).default(8_645))
    .addOption(new Option('--window <seconds>', 'in which an assertion can be challenged').argParser(wholeNumber(1, 10_000_000)).default(30))
    .addOption(executorOption())
    .addOption(new Option('--watcher-executor <name>', 'the watcher\'s').choices(['wasm', 'lifted', 'webgpu', 'word-machine']).default('lifted'))
    .addOption(new Option('--model <bundle>', 'a further model; may be given several times').argParser((value: string, before: string[]) => [...before, value]).default([]))
    .addOption(new Option('--data-directory <folder>', 'keeps the nodes\' stores; a temporary folder otherwise'))
    .addOption(new Option('--log-level <level>', 'what the nodes log').choices([...LOG_LEVELS]).default('info'))
    .action(async (flags: DevnetFlags) => {
      const signal = shutdownSignal();
      const log = createLogger({ level: flags.logLevel });
      const models: Model[] = [buildLande(await loadLandePackage())];
      for (const directory of flags.model) models.push(await readBundleDirectory(directory));
      const closing = createClosing();
      try {
        const sequencerExecutor = await executorByName(flags.executor);
        closing.add(() => sequencerExecutor.dispose());
        const watcherExecutor = await executorByName(flags.watcherExecutor);
        closing.add(() => watcherExecutor.dispose());
        const devnet = await startDevnet({
          models: models.map((model) => ({ model, fee: FEE })),
          sequencerExecutor, watcherExecutor, log,
          parameters: { window: BigInt(flags.window) },
          ...(flags.port === undefined ? {} : { port: flags.port }),
          ...(flags.dataDirectory === undefined ? {} : { dataDirectory: flags.dataDirectory }),
        });
        closing.add(() => devnet.stop());
        const api = await serveApi(apiOf(devnet.sequencer), { host: '127.0.0.1', port: flags.apiPort });
        closing.add(() => api.close());
        console.log(`chain       ${devnet.url}`);
        console.log(`API         ${api.url}`);
        console.log(`assertions  ${devnet.deployment.resultAssertions}`);
        for (const { contract, forum, encoded } of devnet.models) {
          console.log(`model       ${encoded.model.program.signature} at ${contract}${forum === undefined ? '' : `, forum at ${forum}`}`);
        }
        console.log(`account     ${devnet.wallet(DEVNET_ACCOUNTS.user).account.address} (anvil's number ${DEVNET_ACCOUNTS.user}) is yours to use; Ctrl-C ends it all`);
        await aborted(signal);
      } finally {
        await closing.close();
      }
    });
}

function apiOf({ agent, context: { store, metrics, inference, log, client, self, contracts } }: AssayNode): ReturnType<typeof createApi> {
  return createApi({
    store, metrics, log,
    models: inference.models,
    status: () => agent.status(),
    identity: { chainId: client.chain.id, account: self, assertions: contracts.assertions },
  });
}
