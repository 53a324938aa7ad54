import type { Executor, RunOptions } from '../../deterministic-runtime/executors/executor.ts';

/** What a run was asked for. */
export interface RecordedRun {
  readonly keep: NonNullable<RunOptions['keep']>;
  /** How often a slot's tensor was asked for. */
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
          const { iterations, output, tensor } = await prepared.run(input, options);
          return {
            iterations,
            output,
            tensor: (slot) => {
              recorded.tensorsRead += 1;
              return tensor(slot);
            },
          };
        },
      };
    },
  };
  return { executor: recording, runs };
}
