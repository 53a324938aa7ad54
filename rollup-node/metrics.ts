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
  readonly fundsNeeded: Gauge;
  readonly disputeSecondsLeft: Gauge<'dispute' | 'turn'>;
  readonly uncheckedAssertions: Gauge;
  readonly uncheckedSecondsLeft: Gauge;
  readonly modelsUnusable: Gauge;
  readonly transactionsPending: Gauge;
  readonly oldestTransaction: Gauge;
  readonly endpointUsable: Gauge<'endpoint'>;
  readonly endpointLag: Gauge<'endpoint'>;
  readonly endpointFailures: Gauge<'endpoint'>;
  readonly endpointContradicts: Gauge<'endpoint'>;
  readonly endpointsDisagree: Gauge;
  readonly blobsReadable: Gauge;
  readonly headTimestamp: Gauge;
  readonly dryRun: Gauge;
}

/** Fresh figures in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> => new Gauge({ name: `assay_${name}`, help, labelNames, registers });
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
    fundsNeeded: gauge('funds_needed_ether', 'Stakes that the node\'s open games still want from it, and those of one more dispute and correction'),
    disputeSecondsLeft: gauge('dispute_seconds_left', 'Seconds of the running turn in each of the node\'s games', ['dispute', 'turn']),
    uncheckedAssertions: gauge('unchecked_assertions', 'Assertions that can be challenged and that the node has not checked whole'),
    uncheckedSecondsLeft: gauge('unchecked_seconds_left', 'Seconds until the first of them can no longer be challenged; -1 when there is none'),
    modelsUnusable: gauge('models_unusable', 'Configured bundles whose files are damaged or do not match their id'),
    transactionsPending: gauge('transactions_pending', 'Own transactions without a receipt'),
    oldestTransaction: gauge('transaction_oldest_seconds', 'Seconds that the oldest of them has waited'),
    endpointUsable: gauge('endpoint_usable', '1 while an endpoint is used, of several', ['endpoint']),
    endpointLag: gauge('endpoint_lag_blocks', 'Blocks that an endpoint is behind the block that is followed', ['endpoint']),
    endpointFailures: gauge('endpoint_failures', 'Times that an endpoint failed, deviated or served another chain', ['endpoint']),
    endpointContradicts: gauge('endpoint_contradicts', '1 while an endpoint was outvoted by the others, or is one of those that contradict each other without a majority', ['endpoint']),
    endpointsDisagree: gauge('endpoints_disagree', '1 while endpoints contradict each other and none is believed'),
    blobsReadable: gauge('blobs_readable', '0 while no configured source would give the blobs that others put claims into'),
    headTimestamp: gauge('head_timestamp_seconds', 'Time of the newest block that the node has read'),
    dryRun: gauge('dry_run', '1 when nothing is sent'),
  };
}
