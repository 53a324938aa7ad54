import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The node's figures, for Prometheus. docs/node-operators.md says what each one means. */
export interface Metrics {
  readonly registry: Registry;
  readonly headBlock: Gauge;
  readonly headAge: Gauge;
  readonly stale: Gauge;
  readonly reorganizations: Counter;
  readonly chainFailures: Counter;
  readonly tasksRunning: Gauge;
  readonly taskFailures: Counter<'task'>;
  readonly requestsSkipped: Counter<'reason'>;
  readonly inferenceSeconds: Histogram<'model' | 'executor'>;
  readonly transactions: Counter<'kind'>;
  readonly gasUsed: Counter<'kind'>;
  readonly feesPaid: Counter<'kind'>;
  readonly entriesChecked: Counter<'verdict'>;
  readonly disputesEnded: Counter<'role' | 'outcome'>;
  readonly balance: Gauge;
}

/** Fresh figures in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `assay_${name}`, help, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> => new Counter({ name: `assay_${name}`, help, labelNames, registers });
  return {
    registry,
    headBlock: gauge('head_block', 'Newest block that the node has read'),
    headAge: gauge('head_age_seconds', 'Age of that block when it was read'),
    stale: gauge('chain_stale', '1 while the view of L1 is too old to act on'),
    reorganizations: counter('reorganizations_total', 'Reorganisations of the chain that were undone'),
    chainFailures: counter('chain_failures_total', 'Looks at the chain that failed'),
    tasksRunning: gauge('tasks_running', 'Tasks under way'),
    taskFailures: counter('task_failures_total', 'Tasks that failed and are tried again', ['task']),
    requestsSkipped: counter('requests_skipped_total', 'Requests that cannot be answered', ['reason']),
    inferenceSeconds: new Histogram({
      name: 'assay_inference_seconds', help: 'Time of one inference', labelNames: ['model', 'executor'], registers,
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    }),
    transactions: counter('transactions_total', 'Own transactions that were mined', ['kind']),
    gasUsed: counter('gas_used_total', 'Gas of own transactions', ['kind']),
    feesPaid: counter('gas_paid_ether_total', 'Ether spent on gas', ['kind']),
    entriesChecked: counter('entries_checked_total', 'Entries of others\' assertions that were computed again', ['verdict']),
    disputesEnded: counter('disputes_ended_total', 'Own disputes that ended', ['role', 'outcome']),
    balance: gauge('balance_ether', 'Balance of the node\'s account'),
  };
}
