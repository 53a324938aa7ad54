/** A signal that is aborted by the first SIGINT or SIGTERM. The second one ends the process at once. */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Collects what has to be closed, and closes it in reverse order: each once, even if one of them fails. */
export interface Closing {
  add(close: () => Promise<unknown>): void;
  /** Returns the same promise every time. @throws the first failure, after everything was closed */
  close(): Promise<void>;
}

export function createClosing(): Closing {
  const steps: (() => Promise<unknown>)[] = [];
  let closing: Promise<void> | undefined;
  return {
    add: (close) => void steps.push(close),
    close: () => {
      closing ??= (async () => {
        const failures: unknown[] = [];
        for (const step of steps.reverse()) await step().catch((error: unknown) => failures.push(error));
        if (failures.length > 0) throw failures[0];
      })();
      return closing;
    },
  };
}
