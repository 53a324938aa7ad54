import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{deterministic-runtime,kernels,fraud-proof,rollup-node,contracts,test}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
