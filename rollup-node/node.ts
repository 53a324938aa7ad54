import { formatEther } from 'viem';
import type { Address, LocalAccount } from 'viem';
import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import type { Carrier } from '../fraud-proof/dispute/player.ts';
import { createAgent } from './agent/agent.ts';
import type { Agent, AgentOptions } from './agent/agent.ts';
import { collectEarnings } from './agent/collect.ts';
import { deliverResults } from './agent/deliver.ts';
import type { AgentContext, Duty } from './agent/duty.ts';
import { createProblems } from './agent/problems.ts';
import { watchBlobs } from './agent/blobs.ts';
import { watchRisks } from './agent/risks.ts';
import { kindOf } from './agent/tasks.ts';
import { blobSourcesOf } from './chain/blob-source.ts';
import type { ChainClient } from './chain/client.ts';
import { readContracts } from './chain/contracts.ts';
import { createDryRunSender, lendingClient } from './chain/dry-run.ts';
import { createSender } from './chain/sender.ts';
import type { Probe } from './chain/sender.ts';
import { byDeadline, deadlineOf } from './chain/urgency.ts';
import { createBatches, singly } from './disputes/batch.ts';
import { playDisputes } from './disputes/play.ts';
import { settleDisputes } from './disputes/settle.ts';
import { revertReason } from './disputes/turn.ts';
import { createInference } from './inference/inference.ts';
import type { FaultChooser, InferenceOptions } from './inference/inference.ts';
import type { ModelLibrary } from './inference/models.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import { answerRequests } from './sequencer/sequencer.ts';
import type { SequencerOptions } from './sequencer/sequencer.ts';
import type { Store } from './store/store.ts';
import { checkAssertions, correctResults } from './watcher/watcher.ts';

/** What a node is there for. Any node plays and settles its own disputes, delivers its own results and collects what it earned. */
export interface NodeRoles {
  /** Answers requests. */
  readonly sequence?: SequencerOptions;
  /** Checks others' assertions, challenges wrong ones, and sponsors the right results instead. */
  readonly watch?: boolean;
}

export interface NodeOptions extends Partial<Pick<AgentOptions, 'startBlock' | 'logRange' | 'reorganizationDepth' | 'pollInterval' | 'maximumHeadAge' | 'now'>> {
  readonly roles: NodeRoles;
  readonly client: ChainClient;
  /** The rollup's ResultAssertions contract. */
  readonly assertions: Address;
  readonly account: LocalAccount;
  readonly store: Store;
  readonly models: ModelLibrary;
  readonly executor: Executor;
  /** Must give the same bits before a bond stands on a result. */
  readonly verifyWith?: Executor;
  /** Of traces of disputed inferences; see `InferenceOptions`. */
  readonly hasher?: NonNullable<InferenceOptions['hasher']>;
  readonly mostTraceBytes?: number;
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** What this node's claims travel in; calldata by default. */
  readonly claims?: Carrier;
  /** URL of a beacon node, for blobs with others' claims. */
  readonly beacon?: string;
  readonly maximumFeeMultiplier?: number;
  /** Wei a unit of gas that is offered at most. */
  readonly maximumFee?: bigint;
  /** Does everything but send. */
  readonly dryRun?: boolean;
  /** Milliseconds without a receipt after which a transaction is sent again with a higher fee. */
  readonly resendAfter?: number;
  /** For tests and demonstrations: makes this node a liar. */
  readonly chooseFault?: FaultChooser;
  /** For tests: where the node is killed. */
  readonly probe?: Probe;
}

/** A node: an agent with what it works on. It neither opened nor closes store, executors and client. */
export interface AssayNode {
  readonly agent: Agent;
  readonly context: AgentContext;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Puts a node together. @throws UserError when the contracts are not there. */
export async function createNode(options: NodeOptions): Promise<AssayNode> {
  const { roles, account, store, models, executor, verifyWith, log } = options;
  const dryRun = options.dryRun === true;
  const client = dryRun ? lendingClient(options.client, account.address) : options.client;
  const metrics = options.metrics ?? createMetrics();
  const contracts = await readContracts(client, options.assertions);
  const controller = new AbortController();
  const problems = createProblems();
  metrics.dryRun.set(dryRun ? 1 : 0);
  const sender = dryRun ? createDryRunSender({ client, account: account.address, log, explainRevert: revertReason }) : createSender({
    client, account, store, log,
    signal: controller.signal,
    explainRevert: revertReason,
    deadlineOf: (intent) => deadlineOf(store, intent),
    holdBack: () => agent.holdBack(),
    ...(options.maximumFee === undefined ? {} : { maximumFee: options.maximumFee }),
    ...(options.probe === undefined ? {} : { probe: options.probe }),
    ...(options.resendAfter === undefined ? {} : { resendAfter: options.resendAfter }),
    ...(options.maximumFeeMultiplier === undefined ? {} : { maximumFeeMultiplier: options.maximumFeeMultiplier }),
    onMined: (intent, { gasUsed, gasPrice, blobFee = 0n }) => {
      const kind = kindOf(intent);
      metrics.transactions.inc({ kind });
      metrics.gasUsed.inc({ kind }, Number(gasUsed));
      metrics.feesPaid.inc({ kind }, Number(formatEther(gasUsed * gasPrice + blobFee)));
    },
  });
  const inference = createInference({
    models, executor, store, log, metrics,
    signal: controller.signal,
    ...(verifyWith === undefined ? {} : { verifyWith }),
    ...(options.hasher === undefined ? {} : { hasher: options.hasher }),
    ...(options.mostTraceBytes === undefined ? {} : { mostTraceBytes: options.mostTraceBytes }),
    ...(options.chooseFault === undefined ? {} : { chooseFault: options.chooseFault }),
  });
  const batches = dryRun ? singly({ sender }) : createBatches({ client, store, sender, log });
  const context: AgentContext = {
    client, contracts, store, sender, batches, inference, log, metrics, problems,
    self: account.address,
    claims: options.claims ?? 'calldata',
    blobSources: blobSourcesOf(client, options.beacon),
  };
  const agent: Agent = createAgent({
    context,
    duties: dutiesOf(roles),
    startBlock: options.startBlock ?? 0n,
    logRange: options.logRange ?? 2_000,
    reorganizationDepth: options.reorganizationDepth ?? 128,
    pollInterval: options.pollInterval ?? 2_000,
    maximumHeadAge: options.maximumHeadAge ?? 120,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  return {
    agent,
    context,
    start: () => agent.start(),
    stop: async () => {
      controller.abort();
      await agent.stop();
      await inference.dispose();
    },
  };
}

/** A duty's tasks, those of the game with least time left first: they are started in this order. */
const mostUrgentFirst = (duty: Duty): Duty => async (context, head) => byDeadline(context.store, await duty(context, head), ({ key }) => key);

/** Clocks run in disputes: they come first. */
function dutiesOf({ sequence, watch }: NodeRoles): Duty[] {
  return [
    watchRisks(),
    watchBlobs(),
    mostUrgentFirst(playDisputes),
    settleDisputes(),
    ...(watch === true ? [checkAssertions(), correctResults()] : []),
    ...(sequence === undefined ? [] : [answerRequests(sequence)]),
    deliverResults,
    collectEarnings,
  ];
}
