import { HeldBackError } from '../chain/sender.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';

/** One thing to do. While a task of this key runs, or waits after a failure, another of the same key is not started. */
export interface Task {
  /** `kind:what`; the kind is a label of the metrics. */
  readonly key: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface TaskRunnerOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds before a failed task is tried again; doubles with every failure, up to `longestPause`. */
  readonly firstPause?: number;
  readonly longestPause?: number;
  /** A failure that no repetition can mend, such as a full disk. */
  readonly onFatal: (error: unknown) => void;
  /** Milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** Tasks that ended, whose keys are remembered: more than one look at the chain can find. */
const REMEMBERED = 10_000;

/** Runs tasks side by side, each key once at a time. One task's failure is no other's. */
export interface TaskRunner {
  /**
   * Starts a task that a look at the chain found to be due. If a task of its key ended after the look began (`lookedAt`, of the runner's clock),
   * the look is too old to tell and the task is left to the next one.
   */
  launch(task: Task, lookedAt: number): void;
  running(): number;
  /** Starts nothing more, tells what runs to end, and waits for it. */
  stop(): Promise<void>;
}

export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const { log, metrics } = options;
  const now = options.now ?? Date.now;
  const running = new Map<string, Promise<void>>();
  const ended = new Map<string, number>();
  const failed = new Map<string, { readonly failures: number; readonly notBefore: number }>();
  const controller = new AbortController();

  const fail = (task: Task, error: unknown): void => {
    if (controller.signal.aborted) return;
    if (error instanceof UserError && error.exitCode === ExitCode.storage) return options.onFatal(error);
    const failures = (failed.get(task.key)?.failures ?? 0) + 1;
    const pause = Math.min((options.firstPause ?? 500) * 2 ** (failures - 1), options.longestPause ?? 60_000);
    failed.set(task.key, { failures, notBefore: now() + pause });
    if (error instanceof HeldBackError) return void log.debug({ task: task.key, retryInMilliseconds: pause, reason: reasonOf(error) }, 'task held back');
    metrics.taskFailures.inc({ task: kindOf(task.key) });
    log.warn({ task: task.key, failures, retryInMilliseconds: pause, reason: reasonOf(error) }, 'task failed');
    log.debug({ task: task.key, err: error }, 'task failed');
  };

  const remember = (key: string): void => {
    // Re-inserted, so that the first key is the oldest.
    ended.delete(key);
    ended.set(key, now());
    const oldest = ended.keys().next();
    if (ended.size > REMEMBERED && oldest.done !== true) ended.delete(oldest.value);
  };

  return {
    launch: (task, lookedAt) => {
      const { key } = task;
      if (controller.signal.aborted || running.has(key) || (failed.get(key)?.notBefore ?? 0) > now() || (ended.get(key) ?? -Infinity) >= lookedAt) return;
      const work = task.run(controller.signal).then(() => void failed.delete(key), (error: unknown) => fail(task, error)).finally(() => {
        running.delete(key);
        remember(key);
        metrics.tasksRunning.set(running.size);
      });
      running.set(key, work);
      metrics.tasksRunning.set(running.size);
    },
    running: () => running.size,
    stop: async () => {
      controller.abort();
      await Promise.all(running.values());
    },
  };
}

/** `deliver:0x…` → `deliver`. */
export const kindOf = (key: string): string => key.split(':', 1)[0] ?? key;
