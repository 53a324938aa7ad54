import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

/** The rules, read by their lines: names, expressions, severities and summaries each stand on one of their own. */
interface Rule { readonly alert: string; readonly expr: string; readonly severity: string; readonly summary: string; readonly keys: readonly string[] }

let text: string;
let rules: readonly Rule[];

beforeAll(async () => {
  text = await readFile(new URL('../docs/alerts.yml', import.meta.url), 'utf8');
  rules = text.split(/^ {6}- (?=alert:)/m).slice(1).map((part): Rule => {
    const field = (pattern: RegExp): string => pattern.exec(part)?.[1] ?? '';
    return {
      alert: field(/^alert: (\S+)$/m), expr: field(/^ {8}expr: (.+)$/m), severity: field(/^ {8}labels: \{ severity: (\w+) \}$/m), summary: field(/^ {10}summary: "(.+)"$/m),
      keys: [...part.matchAll(/^ {8}(\w+):/gm)].map(([, key]) => key as string),
    };
  });
});

test('every line is one of the few forms that the rules are written in', () => {
  const forms = [/^#/, /^$/, /^groups:$/, /^ {2}- name: \w+$/, /^ {4}interval: \d+s$/, /^ {4}rules:$/, /^ {6}- alert: \w+$/, /^ {8}expr: [^"'#]*("[^"]*"[^"'#]*)*$/, /^ {8}for: \d+[smh]$/, /^ {8}labels: \{ severity: (page|ticket) \}$/, /^ {8}annotations:$/, /^ {10}summary: "[^"\\]+"$/];
  expect(text.split('\n').filter((line) => !forms.some((form) => form.test(line)))).toEqual([]);
});

test('every rule has a name of its own, an expression, a severity and a summary', () => {
  expect(rules.length).toBeGreaterThan(10);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const rule of rules) {
    expect(rule).toMatchObject({ alert: expect.stringMatching(/^Assay/) as unknown, expr: expect.stringMatching(/./) as unknown, severity: expect.stringMatching(/page|ticket/) as unknown, summary: expect.stringMatching(/./) as unknown });
    expect(rule.keys.filter((key) => !['expr', 'for', 'labels', 'annotations'].includes(key))).toEqual([]);
    const count = (symbol: string): number => rule.expr.split(symbol).length;
    expect([count('('), count('['), count('{')]).toEqual([count(')'), count(']'), count('}')]);
  }
});

test('every metric and label that a rule names is one that the node exports', async () => {
  const { registry } = createMetrics();
  const exported = new Map(await Promise.all((await registry.getMetricsAsJSON()).map(async ({ name }) => [name, (registry.getSingleMetric(name) as unknown as { labelNames: string[] }).labelNames] as const)));
  for (const { alert, expr, summary } of rules) {
    const names = [...expr.matchAll(/assay_[a-z_]+/g)].map(([name]) => name);
    expect(names.length, alert).toBeGreaterThan(0);
    expect(names.filter((name) => !exported.has(name)), alert).toEqual([]);
    const labels = [...expr.matchAll(/(assay_[a-z_]+)\{(\w+)=/g)].map(([, name, label]) => [name as string, label as string] as const);
    expect(labels.filter(([name, label]) => exported.get(name)?.includes(label) !== true), alert).toEqual([]);
    const shown = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label as string);
    expect(shown.filter((label) => !names.some((name) => exported.get(name)?.includes(label))), alert).toEqual([]);
  }
});

test('the metrics that somebody is to be woken up for have a rule', () => {
  const all = rules.filter(({ severity }) => severity === 'page').map(({ expr }) => expr).join('\n');
  for (const name of ['assay_dispute_seconds_left', 'assay_funds_needed_ether', 'assay_unchecked_seconds_left', 'assay_endpoints_disagree', 'assay_head_timestamp_seconds', 'assay_transaction_oldest_seconds', 'assay_models_unusable', 'assay_disputes_ended_total']) {
    expect(all).toContain(name);
  }
});
