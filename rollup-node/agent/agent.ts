import { setTimeout as pause } from 'node:timers/promises';
import { isDisagreement } from '../chain/agreement.ts';
import { ChainMovedError, syncToHead } from '../chain/follower.ts';
import type { Head } from '../chain/follower.ts';
import { rollupProjection } from '../chain/projection.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { AgentContext, Duty } from './duty.ts';
import { watchSurroundings } from './surroundings.ts';
import { createTaskRunner } from './tasks.ts';

export interface AgentOptions {
  readonly context: AgentContext;
  /** What the node does, in order of urgency. */
  readonly duties: readonly Duty[];
  readonly startBlock: bigint;
  readonly logRange: number;
  readonly reorganizationDepth: number;
  /** Milliseconds between looks at the chain. */
  readonly pollInterval: number;
  /** Seconds that the newest block may be old; 0 switches the check off. */
  readonly maximumHeadAge: number;
  /** Milliseconds of the wall clock; replaced in tests. */
  readonly now?: () => number;
}

/** Where the node stands. */
export interface AgentStatus {
  /** `starting` until the chain was read once; `stale` while the view of L1 is too old to act on; `disagreeing` while endpoints contradict each other; `failing` while it can't be read. */
  readonly state: 'starting' | 'following' | 'stale' | 'disagreeing' | 'failing' | 'stopped';
  readonly head?: Head;
  /** Tasks under way. */
  readonly tasks: number;
  /** Own transactions without a receipt. */
  readonly pendingTransactions: number;
  readonly problem?: string;
  /** What else somebody should see to: funds, models, games, endpoints. */
  readonly problems?: readonly string[];
}

/** Follows the chain and does its duties, until it is stopped. */
export interface Agent {
  start(): Promise<void>;
  /** One look at the chain, and what follows from it. */
  tick(): Promise<void>;
  status(): AgentStatus;
  /** Why nothing must be sent that rests on the node's view of L1; null when it is fresh. */
  holdBack(): string | null;
  stop(): Promise<void>;
  /** Resolves when the agent was stopped; rejects when it had to give up, as on a full disk. */
  readonly ended: Promise<void>;
}

/** What is logged when the node enters a state in which it does nothing. */
const TROUBLE: Readonly<Record<Exclude<AgentStatus['state'], 'following'>, string>> = {
  starting: 'starting',
  stale: 'the view of L1 is too old: nothing is sent until it is fresh',
  disagreeing: 'the endpoints contradict each other: nothing is believed, and nothing is sent',
  failing: 'cannot read the chain',
  stopped: 'stopped',
};

export function createAgent(options: AgentOptions): Agent {
  const { context, duties } = options;
  const { client, store, sender, log, metrics, contracts } = context;
  const now = options.now ?? Date.now;
  const controller = new AbortController();
  const { promise: ended, resolve: end, reject: giveUp } = promiseWithResolvers();
  // Whoever cares awaits it; a failure must not end the process before that.
  ended.catch(() => undefined);
  let state: AgentStatus['state'] = 'starting';
  let problem: string | undefined;
  let head: Head | undefined;
  let loop: Promise<void> | undefined;
  /** Blocks asked for at first: halved by every failed look, since an endpoint may have no time for a long range and say nothing of it. */
  let firstRange = options.logRange;

  const runner = createTaskRunner({
    log, metrics, now,
    firstPause: options.pollInterval,
    onFatal: (error) => {
      log.fatal({ reason: reasonOf(error) }, 'the node cannot go on');
      giveUp(error);
      void stop();
    },
  });

  const enter = (next: AgentStatus['state'], reason?: string): void => {
    if (state === 'stopped') return;
    if (state !== next) {
      if (next === 'following') log.info({ block: head?.number }, 'following the chain');
      else log.warn({ block: head?.number, reason }, TROUBLE[next]);
    }
    state = next;
    problem = reason;
    metrics.stale.set(next === 'stale' ? 1 : 0);
    metrics.endpointsDisagree.set(next === 'disagreeing' ? 1 : 0);
  };

  const tooOld = (age: number): boolean => options.maximumHeadAge > 0 && age > options.maximumHeadAge;
  const ageOf = ({ timestamp }: Head): number => Math.floor(now() / 1_000) - Number(timestamp);

  const holdBack = (): string | null => {
    if (state === 'stale' || state === 'disagreeing') return problem ?? state;
    if (head === undefined) return 'the chain was not read yet';
    return tooOld(ageOf(head)) ? `the newest block is ${ageOf(head)} seconds old` : null;
  };

  const look = async (): Promise<Head | undefined> => {
    try {
      const addresses = [contracts.registry, contracts.inbox, contracts.assertions, contracts.game];
      const { startBlock, logRange, reorganizationDepth } = options;
      const result = await syncToHead({ client, store, addresses, startBlock, logRange, firstRange, reorganizationDepth, projection: rollupProjection(contracts), signal: controller.signal });
      head = result.head;
      firstRange = options.logRange;
      if (result.reorganizedTo !== undefined) {
        metrics.reorganizations.inc();
        log.warn({ backTo: result.reorganizedTo, head: head.number }, 'the chain was reorganised');
      }
      const age = ageOf(head);
      metrics.headBlock.set(Number(head.number));
      metrics.headAge.set(age);
      metrics.headTimestamp.set(Number(head.timestamp));
      if (tooOld(age)) {
        enter('stale', `the newest block is ${age} seconds old`);
        return undefined;
      }
      enter('following');
      return head;
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (controller.signal.aborted) return undefined;
      metrics.chainFailures.inc();
      firstRange = Math.max(1, Math.floor(firstRange / 2));
      if (error instanceof ChainMovedError) log.debug({ reason: error.message }, 'the chain moved');
      else enter(isDisagreement(error) ? 'disagreeing' : 'failing', reasonOf(error));
      return undefined;
    } finally {
      watchSurroundings(context);
    }
  };

  const tick = async (): Promise<void> => {
    const lookedAt = now();
    const fresh = await look();
    if (fresh === undefined) return;
    for (const duty of duties) {
      if (controller.signal.aborted) return;
      try {
        for (const task of await duty(context, fresh)) runner.launch(task, lookedAt);
      } catch (error) {
        if (error instanceof UserError && error.exitCode === ExitCode.storage) throw error;
        log.warn({ duty: duty.name, reason: reasonOf(error) }, 'a duty failed; it is looked at again');
      }
    }
  };

  const run = async (): Promise<void> => {
    const { signal } = controller;
    while (!signal.aborted) {
      try {
        await tick();
      } catch (error) {
        log.fatal({ reason: reasonOf(error) }, 'the node cannot go on');
        giveUp(error);
        void stop();
        return;
      }
      await pause(options.pollInterval, undefined, { signal }).catch(() => undefined);
    }
  };

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      controller.abort();
      await runner.stop();
      state = 'stopped';
      end();
    })();
    return stopping;
  };

  return {
    ended,
    tick,
    holdBack,
    start: async () => {
      await sender.resume();
      loop = run();
    },
    status: () => ({ state, tasks: runner.running(), pendingTransactions: sender.pending(), ...(head === undefined ? {} : { head }), ...(problem === undefined ? {} : { problem }), problems: context.problems.list() }),
    stop: async () => {
      await stop();
      await loop;
    },
  };
}

function promiseWithResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void; readonly reject: (error: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
