import { setTimeout as pause } from 'node:timers/promises';
import type { Hex } from 'viem';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { DEVNET_PARAMETERS } from '../../contracts/deploy.ts';
import { startDevnet, DEVNET_ACCOUNTS } from '../devnet.ts';
import type { Devnet, PublishedModel } from '../devnet.ts';
import type { Logger } from '../log.ts';
import type { AssayNode } from '../node.ts';
import { MEMBERS } from './dapp.ts';
import type { DApp } from './dapp.ts';
import { startTimeline } from './timeline.ts';
import type { Timeline } from './timeline.ts';

/** Wei that an inference costs here. */
const FEE = 10n ** 15n;

/** Where the scenes are played: a chain with a model, a dApp that calls it, and nodes. */
export interface Stage {
  readonly devnet: Devnet;
  readonly model: PublishedModel;
  readonly dApp: DApp;
  readonly timeline: Timeline;
  print(line: string): void;
  /** A user gives the dApp a text; gives the id of the request that it makes of it. */
  ask(text: string): Promise<Hex>;
  /** Waits until a node has seen the request delivered, and all that it is owed for collected. */
  settled(node: AssayNode, requestId: Hex): Promise<void>;
  close(): Promise<void>;
}

/** Seconds in which an assertion of one result can be challenged: the window, and what running the inference again takes. */
export const challengeSeconds = ({ model, dApp }: Pick<Stage, 'model' | 'dApp'>): bigint => dApp.window + model.encoded.steps / DEVNET_PARAMETERS.stepsPerSecond;

export interface StageOptions {
  readonly model: Model;
  readonly dApp: DApp;
  readonly sequencerExecutor: Executor;
  readonly watcherExecutor: Executor;
  readonly log: Logger;
  readonly print: (line: string) => void;
}

/** Starts a development chain with a model and its dApp. @throws UserError when anvil is missing */
export async function openStage({ model: program, dApp, sequencerExecutor, watcherExecutor, log, print }: StageOptions): Promise<Stage> {
  const devnet = await startDevnet({
    models: [{ model: program, fee: FEE }],
    sequencerExecutor,
    watcherExecutor,
    parameters: { window: dApp.window },
    pollInterval: 50,
    batchDelay: 0,
    log,
  });
  try {
    const [model] = devnet.models;
    if (model?.dApp === undefined) throw new Error(`the development chain has no dApp for ${program.program.signature}`);
    const { deployment, client } = devnet;
    const names = new Map<string, string>([
      ...Object.entries({ ...DEVNET_ACCOUNTS, ...MEMBERS }).map(([name, index]) => [devnet.wallet(index).account.address.toLowerCase(), name] as const),
      [model.dApp.toLowerCase(), dApp.name],
    ]);
    const timeline = await startTimeline({
      client,
      contracts: [deployment.modelRegistry, deployment.inbox, deployment.resultAssertions, deployment.dissectionGame, model.dApp],
      narration: { nameOf: (address) => names.get(address.toLowerCase()) ?? address, readable: (result) => dApp.readable(model, result), games: new Map() },
      print,
    });
    const site = { client, address: model.dApp, model };
    await dApp.open(site, (member) => devnet.wallet(MEMBERS[member]));
    return {
      devnet, model, dApp, timeline, print,
      ask: (text) => dApp.ask(site, devnet.wallet(MEMBERS.Ada), text),
      settled,
      close: async () => {
        await timeline.stop();
        await devnet.stop();
      },
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/** Withdrawals follow the fee: time for them to be told. */
const EPILOGUE_MILLISECONDS = 700;
/** Longest that a story may take. */
const PATIENCE_MILLISECONDS = 180_000;

async function settled({ context: { store } }: AssayNode, requestId: Hex): Promise<void> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const request = await store.get('requests', requestId);
    const disputes = (await store.list('disputes')).filter(({ value }) => value.requestId === requestId);
    if (request?.feeTo !== undefined && disputes.every(({ value }) => value.paidOut !== undefined)) return pause(EPILOGUE_MILLISECONDS);
    if (performance.now() > end) throw new Error(`request ${requestId} is not settled after ${PATIENCE_MILLISECONDS / 1_000} seconds`);
    await pause(50);
  }
}
