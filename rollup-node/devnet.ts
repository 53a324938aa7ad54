import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAddress } from 'viem';
import type { Account, Address, Chain, Transport, WalletClient } from 'viem';
import { deploy, deployForum, deployStorybook, DEVNET_PARAMETERS } from '../contracts/deploy.ts';
import type { Deployment, DeploymentParameters } from '../contracts/deploy.ts';
import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import type { Carrier } from '../fraud-proof/dispute/player.ts';
import { startAnvil } from './anvil.ts';
import type { Anvil } from './anvil.ts';
import { connect } from './chain/client.ts';
import type { ChainClient } from './chain/client.ts';
import { developmentWallets } from './chain/development-wallets.ts';
import type { DevelopmentWallet } from './chain/development-wallets.ts';
import { registerModel } from './chain/register-model.ts';
import type { FaultChooser } from './inference/inference.ts';
import { libraryOf, localModel } from './inference/models.ts';
import type { LocalModel, ModelLibrary } from './inference/models.ts';
import type { Logger } from './log.ts';
import { createNode } from './node.ts';
import type { AssayNode, NodeOptions, NodeRoles } from './node.ts';
import { createClosing } from './shutdown.ts';
import { openStore } from './store/store.ts';

/** Which of the development chain's accounts does what; each has 10,000 ether. */
export const DEVNET_ACCOUNTS = { deployer: 0, sequencer: 1, watcher: 2, user: 3, liar: 4 } as const;

/** A model to publish. */
export interface DevnetModel {
  readonly model: Model;
  /** Wei for an inference, without the callback. */
  readonly fee?: bigint;
  readonly uri?: string;
}

export interface DevnetOptions {
  readonly models: readonly DevnetModel[];
  readonly sequencerExecutor: Executor;
  /** Absent: nobody watches. */
  readonly watcherExecutor?: Executor;
  /** A second executor of the sequencer's, which must agree. */
  readonly verifyWith?: Executor;
  /** Makes the sequencer a liar. */
  readonly fault?: FaultChooser;
  /** What the sequencer's claims in disputes travel in; calldata by default. */
  readonly claims?: Carrier;
  /** Seconds between blocks, beside one for every transaction; 1 by default. */
  readonly blockTime?: number;
  /** Port of the chain; any free one by default. */
  readonly port?: number;
  readonly parameters?: Partial<DeploymentParameters>;
  /** Milliseconds between the nodes' looks at the chain. */
  readonly pollInterval?: number;
  /** Milliseconds that an answer waits for others. */
  readonly batchDelay?: number;
  /** Where the nodes' stores are; a temporary folder, deleted at the end, by default. */
  readonly dataDirectory?: string;
  readonly log: Logger;
}

/** A model on the development chain. */
export interface PublishedModel extends LocalModel {
  /** The model's own contract. */
  readonly contract: Address;
  /** The example dApp: a forum for a model with the signature `detect(string)->(string)`, a storybook for language models. */
  readonly dApp?: Address;
}

/** Whatever else a node of the development chain is to be. */
export interface DevnetNodeOptions extends Partial<Omit<NodeOptions, 'roles' | 'executor'>> {
  readonly name: string;
  readonly roles: NodeRoles;
  readonly executor: Executor;
  /** Number of its account. */
  readonly accountIndex: number;
}

/** A whole rollup on a chain of its own. */
export interface Devnet {
  readonly url: string;
  readonly client: ChainClient;
  readonly deployment: Deployment;
  readonly models: readonly PublishedModel[];
  readonly library: ModelLibrary;
  readonly sequencer: AssayNode;
  readonly watcher: AssayNode | null;
  /** A wallet of one of the funded accounts. */
  wallet(index: number): DevelopmentWallet;
  /** Starts one more node; it is stopped with the rest. */
  addNode(options: DevnetNodeOptions): Promise<AssayNode>;
  /** Stops nodes, then the chain, and deletes what was temporary. May be called twice. */
  stop(): Promise<void>;
}

/** Starts a chain, deploys the contracts, publishes models, and starts a sequencer and a watcher. @throws UserError when anvil is missing */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const temporary = options.dataDirectory === undefined ? await mkdtemp(join(tmpdir(), 'assay-devnet-')) : undefined;
  const dataDirectory = options.dataDirectory ?? (temporary as string);
  const closing = createClosing();
  if (temporary !== undefined) closing.add(() => rm(temporary, { recursive: true, force: true }));
  try {
    const anvil: Anvil = await startAnvil({
      blockTime: options.blockTime ?? 1,
      arguments: ['--mixed-mining'],
      ...(options.port === undefined ? {} : { port: options.port }),
    });
    closing.add(() => anvil.stop());
    const pollInterval = options.pollInterval ?? 100;
    const client = await connect({ rpcUrl: anvil.url, pollInterval: Math.min(pollInterval, 50) });
    const wallet = developmentWallets(client.chain, anvil.url);
    const deployer = wallet(DEVNET_ACCOUNTS.deployer);
    const deployment = await deploy(deployer, client, { ...DEVNET_PARAMETERS, ...options.parameters });
    const models: PublishedModel[] = [];
    for (const published of options.models) models.push(await publish(deployer, client, deployment, published));
    const library = libraryOf(models);

    const addNode = async ({ name, roles, executor, accountIndex, ...rest }: DevnetNodeOptions): Promise<AssayNode> => {
      const store = rest.store ?? (await openStore(join(dataDirectory, name)));
      if (rest.store === undefined) closing.add(() => store.close());
      const node = await createNode({
        client, models: library, pollInterval,
        assertions: deployment.resultAssertions,
        account: wallet(accountIndex).account,
        startBlock: deployment.block,
        log: options.log.child({ component: name }),
        ...rest,
        roles, executor, store,
      });
      closing.add(() => node.stop());
      await node.start();
      return node;
    };
    const sequencer = await addNode({
      name: 'sequencer',
      roles: { sequence: { size: 64, delay: options.batchDelay ?? 200 } },
      executor: options.sequencerExecutor,
      accountIndex: DEVNET_ACCOUNTS.sequencer,
      ...(options.verifyWith === undefined ? {} : { verifyWith: options.verifyWith }),
      ...(options.fault === undefined ? {} : { chooseFault: options.fault }),
      ...(options.claims === undefined ? {} : { claims: options.claims }),
    });
    const watcher = options.watcherExecutor === undefined
      ? null
      : await addNode({ name: 'watcher', roles: { watch: true }, executor: options.watcherExecutor, accountIndex: DEVNET_ACCOUNTS.watcher });
    return { url: anvil.url, client, deployment, models, library, sequencer, watcher, wallet, addNode, stop: closing.close };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** Deploys the example dApp for a model's contract. */
type DeployExample = typeof deployForum;

/** Example dApps, by the signature of the models that they are for. */
const EXAMPLES: ReadonlyMap<string, DeployExample> = new Map([
  ['detect(string)->(string)', deployForum],
  ['complete(string)->(string)', deployStorybook],
  ['generate(int32[])->(int32[])', deployStorybook],
]);

/** Registers a model, and gives it an example dApp where there is one for its signature. */
async function publish(wallet: WalletClient<Transport, Chain, Account>, client: ChainClient, deployment: Deployment, { model, fee = 0n, uri = '' }: DevnetModel): Promise<PublishedModel> {
  const local = localModel(model);
  const contract = await registerModel(wallet, client, deployment.modelRegistry, local.encoded, { fee, uri });
  const deployExample = EXAMPLES.get(model.program.signature);
  if (deployExample === undefined) return { ...local, contract };
  return { ...local, contract, dApp: getAddress(await deployExample(wallet, client, contract, deployment.inbox)) };
}
