import { isAddressEqual } from 'viem';
import type { Address, Hex } from 'viem';
import type { Store } from '../store/store.ts';
import type { AnswerRecord, AssertionRecord, DisputeRecord, RequestRecord } from '../store/tables.ts';

/** An entry of an assertion that answers a request. */
export interface Answer extends AnswerRecord {
  readonly assertion: AssertionRecord;
}

/** All answers to a request so far, those of defeated assertions too. */
export async function answersTo(store: Pick<Store, 'get' | 'list'>, requestId: Hex): Promise<Answer[]> {
  const records = await store.list('answers', { prefix: `${requestId}!` });
  const answers = await Promise.all(records.map(async ({ value }) => ({ ...value, assertion: await store.get('assertions', value.assertionId) })));
  return answers.filter((answer): answer is Answer => answer.assertion !== undefined);
}

/** The answers of one sponsor that are not defeated. */
export const standingAnswersOf = (answers: readonly Answer[], sponsor: Address): Answer[] =>
  answers.filter((answer) => isAddressEqual(answer.sponsor, sponsor) && !answer.assertion.defeated);

/** Pending requests whose deadline is later than `time` (seconds), in the inbox's order. */
export async function pendingRequests(store: Pick<Store, 'get' | 'list'>, time: bigint): Promise<RequestRecord[]> {
  const ids = await store.list('pendingRequests');
  const requests = await Promise.all(ids.map(({ value }) => store.get('requests', value)));
  return requests.filter((request): request is RequestRecord => request !== undefined && request.deadline > time);
}

/** False if a result asserted now, and undisputed final at `finalAt` (seconds), comes too late for the request: its fee goes back. */
export const canBeDelivered = ({ finality, deadline }: Pick<RequestRecord, 'finality' | 'deadline'>, finalAt: bigint): boolean =>
  finality === 'asserted' || finalAt < deadline;

/** The disputes about an assertion, over or not. */
export async function disputesOf(store: Pick<Store, 'get' | 'list'>, assertionId: Hex): Promise<DisputeRecord[]> {
  const ids = await store.list('assertionDisputes', { prefix: `${assertionId}!` });
  const disputes = await Promise.all(ids.map(({ value }) => store.get('disputes', value)));
  return disputes.filter((dispute): dispute is DisputeRecord => dispute !== undefined);
}

/** True if a sponsor asserted this output for the request before, and a proof (not a clock) defeated it. */
export async function wasDisproven(store: Pick<Store, 'get' | 'list'>, sponsor: Address, requestId: Hex, outputCommitment: Hex): Promise<boolean> {
  for (const answer of await answersTo(store, requestId)) {
    if (!answer.assertion.defeated || answer.outputCommitment !== outputCommitment || !isAddressEqual(answer.sponsor, sponsor)) continue;
    const disputes = await disputesOf(store, answer.assertionId);
    if (disputes.some((dispute) => dispute.requestId === requestId && dispute.phase === 'challenger-won' && dispute.ending !== 'timeout')) return true;
  }
  return false;
}
