import type { AgentContext } from './duty.ts';

/** Seconds without a receipt from which a transaction counts as stuck: by then its fee was raised several times. */
const STUCK_SECONDS = 300;

/** Notes how endpoints and own transactions stand, after every look at the chain, failed ones too. */
export function watchSurroundings({ client, sender, metrics, problems }: AgentContext): void {
  const contradictions = client.endpoints?.contradictions() ?? [];
  if (contradictions.length > 0) metrics.endpointsDisagree.set(1);
  const told = new Set(contradictions.map(({ text }) => `contradiction:${text}`));
  for (const { text } of contradictions) problems.set(`contradiction:${text}`, text);
  problems.keepOnly('contradiction:', told);
  for (const { name, state, reason, lag, failures } of client.endpoints?.status() ?? []) {
    metrics.endpointUsable.set({ endpoint: name }, state === 'usable' ? 1 : 0);
    metrics.endpointFailures.set({ endpoint: name }, failures);
    metrics.endpointContradicts.set({ endpoint: name }, state === 'deviating' || contradictions.some(({ endpoints }) => endpoints.includes(name)) ? 1 : 0);
    if (lag !== undefined) metrics.endpointLag.set({ endpoint: name }, lag);
    if (state === 'usable' || state === 'unknown') problems.clear(`endpoint:${name}`);
    else problems.set(`endpoint:${name}`, `endpoint ${name} is left out: ${reason ?? state}`);
  }
  const oldest = sender.oldest() / 1_000;
  metrics.transactionsPending.set(sender.pending());
  metrics.oldestTransaction.set(oldest);
  if (oldest > STUCK_SECONDS) problems.set('stuck', `a transaction has waited for ${Math.round(oldest)} seconds: fees may have risen above what this node may offer`);
  else problems.clear('stuck');
}
