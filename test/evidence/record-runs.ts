import type { Executor, RunOptions } from '../../deterministic-runtime/executors/executor.ts';

/** What a run was asked for. */
export interface RecordedRun {
  readonly keep: NonNullable<RunOptions['keep']>;
  /** How often a slot's tensor was asked for, while the model ran or afterwards. */
  tensorsRead: number;
}

/** The same executor, and a list that grows with each run of a model that it prepares. */
export function recordRuns(executor: Executor): { readonly executor: Executor; readonly runs: readonly RecordedRun[] } {
  const runs: RecordedRun[] = [];
  const recording: Executor = {
    name: executor.name,
    adapter: executor.adapter,
    dispose: () => executor.dispose(),
    prepare: async (model) => {
      const prepared = await executor.prepare(model);
      return {
        model: prepared.model,
        dispose: () => prepared.dispose(),
        run: async (input, options) => {
          const recorded: RecordedRun = { keep: options?.keep ?? 'result', tensorsRead: 0 };
          runs.push(recorded);
          const counted = <K, T>(read: (key: K) => T) => (key: K): T => {
            recorded.tensorsRead += 1;
            return read(key);
          };
          const onWritten = options?.onWritten;
          const shown: RunOptions = onWritten === undefined ? {} : { onWritten: (run, tensor) => onWritten(run, counted(tensor)) };
          const { iterations, output, tensor } = await prepared.run(input, { ...options, ...shown });
          return { iterations, output, tensor: counted(tensor) };
        },
      };
    },
  };
  return { executor: recording, runs };
}
