import { configDefaults, defineConfig } from 'vitest/config';

const ALL = '{deterministic-runtime,kernels,fraud-proof,rollup-node,contracts,training,test}/**/*.test.ts';
/** Tests with a chain, a node or a command line of their own: clocks run in them, so they get the machine to themselves. */
const END_TO_END = ['rollup-node/*.test.ts', 'rollup-node/{agent,api,chain,demo,disputes,match,sequencer,watcher}/**/*.test.ts', 'test/{adversarial,cli,disputes}/**/*.test.ts'];

const shared = { pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: [ALL], exclude: [...configDefaults.exclude, ...END_TO_END], maxWorkers: 2, sequence: { groupOrder: 0 } } },
      { test: { ...shared, name: 'end to end', include: END_TO_END, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
