export interface QueueOptions {
  /** Goes before everything that is not urgent and has not started. */
  readonly urgent?: boolean;
}

/** Runs what it is given one after another, in order; a failure does not stop the next. */
export function serialQueue(): <T>(work: () => Promise<T>, options?: QueueOptions) => Promise<T> {
  const urgent: (() => Promise<void>)[] = [];
  const normal: (() => Promise<void>)[] = [];
  let busy = false;
  const next = (): void => {
    const job = urgent.shift() ?? normal.shift();
    busy = job !== undefined;
    if (job !== undefined) void job().finally(next);
  };
  return <T>(work: () => Promise<T>, options: QueueOptions = {}) =>
    new Promise<T>((resolve, reject) => {
      (options.urgent === true ? urgent : normal).push(() => work().then(resolve, reject));
      if (!busy) next();
    });
}
