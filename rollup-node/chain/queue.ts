export interface QueueOptions {
  /** Goes before everything that is not urgent and has not started. */
  readonly urgent?: boolean;
  /** Moment, in seconds, by which it has to be done: an earlier one goes before a later one, and before those that have none. */
  readonly deadline?: bigint | undefined;
}

interface Job {
  readonly rank: number;
  readonly run: () => Promise<void>;
}

/** Runs what it is given one after another: by urgency, and in order among equals; a failure does not stop the next. */
export function serialQueue(): <T>(work: () => Promise<T>, options?: QueueOptions) => Promise<T> {
  const waiting: Job[] = [];
  let busy = false;
  const next = (): void => {
    const job = waiting.shift();
    busy = job !== undefined;
    if (job !== undefined) void job.run().finally(next);
  };
  return <T>(work: () => Promise<T>, options: QueueOptions = {}) =>
    new Promise<T>((resolve, reject) => {
      const rank = options.urgent === true ? -Infinity : options.deadline === undefined ? Infinity : Number(options.deadline);
      const place = waiting.findIndex((job) => job.rank > rank);
      waiting.splice(place === -1 ? waiting.length : place, 0, { rank, run: () => work().then(resolve, reject) });
      if (!busy) next();
    });
}
