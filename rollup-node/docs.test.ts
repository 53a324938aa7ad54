import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { createApi } from './api/api.ts';
import { CONFIG_KEYS } from './config.ts';
import { silentLogger } from './log.ts';
import { createMetrics } from './metrics.ts';

let operators: string;
beforeAll(async () => {
  operators = await readFile(new URL('../docs/node-operators.md', import.meta.url), 'utf8');
});

test('docs/node-operators.md has every setting', () => {
  expect(CONFIG_KEYS.filter((key) => !operators.includes(`\`${key}\``))).toEqual([]);
});

test('docs/node-operators.md has every metric, and no other', async () => {
  const names = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
  expect(names.filter((name) => !operators.includes(`\`${name}`))).toEqual([]);
  expect([...operators.matchAll(/assay_[a-z_]+/g)].map(([name]) => name).filter((name) => !names.includes(name))).toEqual([]);
});

test('docs/node-operators.md has every route, and no other', () => {
  const api = createApi({
    store: { get: async () => undefined, list: async () => [] }, models: new Map(), metrics: createMetrics(), log: silentLogger(),
    status: () => ({ state: 'starting', tasks: 0, pendingTransactions: 0 }), identity: { chainId: 1, account: '0x', assertions: '0x' },
  });
  const routes = new Set(api.routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
  const documented = new Set([...operators.matchAll(/`(?:GET )?(\/[a-z]+(?:\/:id)?)(?:\?[a-z=&]*)?`/g)].map(([, path]) => path));
  expect([...documented].sort()).toEqual([...routes].sort());
});
