import { createApi } from './api/api.ts';
import { serveApi } from './api/server.ts';
import { connect } from './chain/client.ts';
import { loadAccount } from './config.ts';
import type { Config } from './config.ts';
import { executorByName } from './executors.ts';
import { loadModels } from './inference/models.ts';
import { createLogger } from './log.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createNode } from './node.ts';
import type { AssayNode } from './node.ts';
import { aborted, createClosing } from './shutdown.ts';
import { openStore } from './store/store.ts';

export interface ServiceOptions {
  /** `assay node` sequences, `assay watch` watches; one process may do both. */
  readonly sequence: boolean;
  readonly watch: boolean;
  /** Ends the service, e.g. `shutdownSignal()`. */
  readonly signal: AbortSignal;
  readonly log?: Logger;
  /** Called when the node follows the chain and the API answers. */
  readonly onReady?: (ready: { readonly node: AssayNode; readonly apiUrl: string | null }) => void;
}

/**
 * Runs a node as it is configured, until the signal is aborted, then closes everything in order.
 * @throws UserError when something that it needs is missing or wrong, or the node had to give up
 */
export async function runService(config: Config, options: ServiceOptions): Promise<void> {
  const log = options.log ?? createLogger({ level: config.logLevel, format: config.logFormat });
  const closing = createClosing();
  try {
    const account = await loadAccount(config);
    const client = await connect({
      rpcUrl: config.rpcUrl, chainId: config.chainId, pollInterval: config.pollInterval, quorum: config.quorum, maximumLag: config.maximumEndpointLag, log,
    });
    const models = await loadModels(config.models, log);
    const executor = await executorByName(config.executor);
    closing.add(() => executor.dispose());
    const verifyWith = config.verifyWith === undefined ? undefined : await executorByName(config.verifyWith);
    if (verifyWith !== undefined) closing.add(() => verifyWith.dispose());
    const store = await openStore(config.dataDirectory);
    closing.add(() => store.close());
    const metrics = createMetrics();
    const node = await createNode({
      client, account, models, store, executor, log, metrics,
      assertions: config.assertions,
      startBlock: BigInt(config.startBlock),
      logRange: config.logRange,
      reorganizationDepth: config.reorganizationDepth,
      pollInterval: config.pollInterval,
      maximumHeadAge: config.maximumHeadAge,
      maximumFeeMultiplier: config.maximumFeeMultiplier,
      claims: config.claims === 'blobs' ? 'blob' : 'calldata',
      ...(config.beacon === undefined ? {} : { beacon: config.beacon }),
      dryRun: config.dryRun,
      ...(config.maximumFee === undefined ? {} : { maximumFee: config.maximumFee }),
      roles: { watch: options.watch, ...(options.sequence ? { sequence: { size: config.batchSize, delay: config.batchDelay, minimumFee: config.minimumFee } } : {}) },
      hasher: config.hasher,
      mostTraceBytes: 1e6 * config.traceMegabytes,
      ...(verifyWith === undefined ? {} : { verifyWith }),
    });
    closing.add(() => node.stop());
    const origins = new Set([...models.values()].map(({ origin }) => origin));
    // A model that was given twice has one origin.
    const unusable = models.size === config.models.length ? [] : config.models.filter((directory) => !origins.has(directory));
    metrics.modelsUnusable.set(unusable.length);
    for (const directory of unusable) node.context.problems.set(`model:${directory}`, `the bundle ${directory} is not used: its files are damaged or do not match their id, and its model is neither served nor checked`);
    let apiUrl: string | null = null;
    if (config.api) {
      const identity = { chainId: client.chain.id, account: account.address, assertions: config.assertions };
      const server = await serveApi(createApi({ store, models, metrics, log, status: () => node.agent.status(), identity }), { host: config.apiHost, port: config.apiPort });
      closing.add(() => server.close());
      apiUrl = server.url;
    }
    log.info({ account: account.address, chain: client.chain.id, executor: executor.name, adapter: executor.adapter, verifyWith: verifyWith?.name, models: [...models.keys()], api: apiUrl, ...(config.dryRun ? { dryRun: true } : {}) }, 'starting');
    await node.start();
    options.onReady?.({ node, apiUrl });
    await Promise.race([aborted(options.signal), node.agent.ended]);
    log.info('stopping');
  } finally {
    await closing.close();
  }
}
