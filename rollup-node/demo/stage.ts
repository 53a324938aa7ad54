import { setTimeout as pause } from 'node:timers/promises';
import { parseEventLogs } from 'viem';
import type { Address, Hex } from 'viem';
import { forumAbi } from '../../contracts/abi/generated.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { DEVNET_PARAMETERS } from '../../contracts/deploy.ts';
import { encodeModelText } from '../../kernels/import/model-interface.ts';
import { startDevnet, DEVNET_ACCOUNTS } from '../devnet.ts';
import type { Devnet, PublishedModel } from '../devnet.ts';
import { loadLandePackage } from '../lande-package.ts';
import type { Logger } from '../log.ts';
import { requestElements } from '../model-values.ts';
import type { AssayNode } from '../node.ts';
import { startTimeline } from './timeline.ts';
import type { Timeline } from './timeline.ts';

/** The challenge window of the demo's chain, in seconds. */
const WINDOW_SECONDS = 5;
/** Accounts of the forum's members. */
export const MEMBERS = { Ada: 5, Bert: 6 } as const;
/** Wei that an inference costs here. */
const FEE = 10n ** 15n;

/** Where the stories are played: a chain with the model, the forum, and nodes. */
export interface Stage {
  readonly devnet: Devnet;
  readonly model: PublishedModel;
  readonly forum: Address;
  readonly timeline: Timeline;
  print(line: string): void;
  /** Posts in the forum, as a user does who has normalised the text first; gives the post's id. */
  post(text: string): Promise<Hex>;
  /** Waits until a node has seen the request delivered, and all that it is owed for collected. */
  settled(node: AssayNode, requestId: Hex): Promise<void>;
  close(): Promise<void>;
}

/** Seconds in which an assertion of one result can be challenged: the window, and what running the inference again takes. */
export const challengeSeconds = ({ model }: Pick<Stage, 'model'>): bigint => BigInt(WINDOW_SECONDS) + model.encoded.steps / DEVNET_PARAMETERS.stepsPerSecond;

export interface StageOptions {
  readonly sequencerExecutor: Executor;
  readonly watcherExecutor: Executor;
  readonly log: Logger;
  readonly print: (line: string) => void;
}

/** Builds the embedded model, and starts a development chain with it. @throws UserError when anvil is missing */
export async function openStage({ sequencerExecutor, watcherExecutor, log, print }: StageOptions): Promise<Stage> {
  const program = buildLande(await loadLandePackage());
  const devnet = await startDevnet({
    models: [{ model: program, fee: FEE }],
    sequencerExecutor,
    watcherExecutor,
    parameters: { window: BigInt(WINDOW_SECONDS) },
    pollInterval: 50,
    batchDelay: 0,
    log,
  });
  try {
    const [model] = devnet.models;
    if (model?.forum === undefined) throw new Error('the development chain has no forum');
    const { forum } = model;
    const { deployment, client } = devnet;
    const names = new Map<string, string>([
      ...Object.entries({ ...DEVNET_ACCOUNTS, ...MEMBERS }).map(([name, index]) => [devnet.wallet(index).account.address.toLowerCase(), name] as const),
      [forum.toLowerCase(), 'the forum'],
    ]);
    const timeline = await startTimeline({
      client,
      contracts: [deployment.modelRegistry, deployment.inbox, deployment.resultAssertions, deployment.dissectionGame, forum],
      narration: { nameOf: (address) => names.get(address.toLowerCase()) ?? address, signature: program.program.signature, games: new Map() },
      print,
    });
    const user = devnet.wallet(MEMBERS.Ada);
    return {
      devnet, model, forum, timeline, print,
      post: async (text) => {
        const price = await client.readContract({ address: forum, abi: forumAbi, functionName: 'price' });
        const normalized = new TextDecoder().decode(requestElements(program, encodeModelText(program, text)));
        const hash = await user.writeContract({ address: forum, abi: forumAbi, functionName: 'post', args: [normalized], value: price });
        const { logs } = await client.waitForTransactionReceipt({ hash });
        const [event] = parseEventLogs({ abi: forumAbi, eventName: 'Submitted', logs });
        if (event === undefined) throw new Error('the forum recorded no post');
        return event.args.postId;
      },
      settled: (node, requestId) => settled(node, requestId),
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
const PATIENCE_MILLISECONDS = 60_000;

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
