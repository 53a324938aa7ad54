import { encodeFunctionData, isAddressEqual } from 'viem';
import type { Hex } from 'viem';
import { inboxAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { openingMove } from '../../fraud-proof/dispute/player.ts';
import type { AgentContext, Duty } from '../agent/duty.ts';
import { answersTo, canBeDelivered, disputesOf, pendingRequests } from '../agent/answers.ts';
import type { Answer } from '../agent/answers.ts';
import { createComputer } from '../agent/compute.ts';
import { assertAnswers, notDisproven } from '../agent/sponsor.ts';
import type { Task } from '../agent/tasks.ts';
import { assertionPhase } from '../chain/clock.ts';
import { proveEntry } from '../chain/entries.ts';
import type { Head } from '../chain/follower.ts';
import { HeldBackError } from '../chain/sender.ts';
import { checkByReplay } from '../disputes/replayed.ts';
import { playOptionsOf } from '../disputes/split-states.ts';
import { blobsOf, roleOf, splitArgument } from '../disputes/turn.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import { UnservableRequestError } from '../inference/inference.ts';
import { nextBatch } from '../sequencer/batch.ts';
import type { AssertionRecord, RequestRecord } from '../store/tables.ts';
import { challengeStake } from './stake.ts';

/** Checks every entry of others' assertions while they can be challenged, and challenges the first wrong one with a game of the node's own. */
export function checkAssertions(): Duty {
  const checked = new Set<Hex>();
  const notes = new Map<Hex, Notes>();
  return async (context, head) => {
    const { store, self } = context;
    const open = await Promise.all((await store.list('openAssertions')).map(({ key }) => store.get('assertions', key)));
    const challengeable = open.filter((assertion) => assertion !== undefined)
      .filter((assertion) => !isAddressEqual(assertion.sponsor, self) && assertionPhase(assertion, head.timestamp) === 'challengeable');
    const due = challengeable.filter((assertion) => !checked.has(assertion.assertionId))
      .sort((a, b) => (a.challengeableUntil < b.challengeableUntil ? -1 : 1));
    // Asked of the store, which follows the chain: a reorganisation may take a challenge back, and then it is made again.
    const challenged = await Promise.all(due.map(({ assertionId }) => isChallenged(context, assertionId)));
    const left = due.filter((_, index) => challenged[index] === false);
    reportUnchecked(context, head, [...left, ...challengeable.filter(({ assertionId }) => checked.has(assertionId) && (notes.get(assertionId)?.notComputed.size ?? 0) > 0)], notes);
    return left.map((assertion): Task => ({
      key: `check:${assertion.assertionId}`,
      run: async (signal) => {
        const about = notes.get(assertion.assertionId) ?? { notComputed: new Set(), wrong: new Set() };
        notes.set(assertion.assertionId, about);
        if (await isRight(context, assertion, head, signal, about)) checked.add(assertion.assertionId);
      },
    }));
  };
}

/** What is known of an assertion's entries: those that this node could not compute, and those that it has said to be wrong. */
interface Notes {
  readonly notComputed: Set<number>;
  readonly wrong: Set<number>;
}

/** Says which assertions are not checked whole, while there is time to do something about it, and forgets what is over. */
function reportUnchecked({ metrics, problems }: AgentContext, head: Head, unchecked: readonly AssertionRecord[], notes: Map<Hex, Notes>): void {
  const ends = unchecked.map(({ challengeableUntil }) => Number(challengeableUntil - head.timestamp));
  metrics.uncheckedAssertions.set(unchecked.length);
  metrics.uncheckedSecondsLeft.set(ends.length === 0 ? -1 : Math.min(...ends));
  const open = new Set(unchecked.map(({ assertionId }) => assertionId));
  for (const assertionId of notes.keys()) if (!open.has(assertionId)) notes.delete(assertionId);
  const told = new Set<string>();
  for (const { assertionId, challengeableUntil } of unchecked) {
    const count = notes.get(assertionId)?.notComputed.size ?? 0;
    if (count === 0) continue;
    told.add(`unchecked:${assertionId}`);
    problems.set(`unchecked:${assertionId}`, `${count} entries of assertion ${assertionId} cannot be checked; it can be challenged for ${challengeableUntil - head.timestamp} more seconds`);
  }
  problems.keepOnly('unchecked:', told);
}

/** True if the node has a game of its own about the assertion. */
const isChallenged = async ({ store, self }: AgentContext, assertionId: Hex): Promise<boolean> =>
  (await disputesOf(store, assertionId)).some((dispute) => roleOf(dispute, self) === 'challenger');

/**
 * Challenges the first wrong entry that can be challenged; true when there is none. An entry that fails shields no other: the rest are
 * looked at first, and what went wrong is thrown at the end, so that the assertion is checked again. What is found is noted.
 */
async function isRight(context: AgentContext, assertion: AssertionRecord, head: Head, signal: AbortSignal, notes: Notes): Promise<boolean> {
  const { log } = context;
  const failures: unknown[] = [];
  for (const [index, request] of assertion.requestIds.entries()) {
    signal.throwIfAborted();
    try {
      if (!(await isWrong(context, assertion, index, notes))) continue;
      await challenge(context, assertion, index, head);
      return false;
    } catch (error) {
      if (signal.aborted || (error instanceof UserError && error.exitCode === ExitCode.storage)) throw error;
      failures.push(error);
      if (error instanceof HeldBackError) continue;
      log.error({ assertion: assertion.assertionId, entry: index, request, reason: reasonOf(error) }, 'entry not dealt with yet');
    }
  }
  if (failures.length > 0) throw failures[0];
  log.info({ assertion: assertion.assertionId, sponsor: assertion.sponsor, entries: assertion.requestIds.length }, 'assertion checked');
  return true;
}

/** True if an entry's output is not what this node computes, twice. An entry that it cannot compute counts as right, and is said so. */
async function isWrong({ store, inference, log, metrics }: AgentContext, assertion: AssertionRecord, index: number, notes: Notes): Promise<boolean> {
  const { assertionId, sponsor } = assertion;
  const requestId = assertion.requestIds[index] as Hex;
  const request = await store.get('requests', requestId);
  if (request === undefined) throw new Error(`assertion ${assertionId} answers request ${requestId}, which the store does not have yet`);
  const asserted = assertion.outputCommitments[index];
  try {
    if ((await inference.result(request)).outputCommitment === asserted) {
      metrics.entriesChecked.inc({ verdict: 'right' });
      return false;
    }
    // A stake stands on this: the second executor has to see it, too.
    const { outputCommitment } = await inference.result(request, { verified: true });
    // It is looked at again until the challenge stands.
    if (notes.wrong.has(index)) return true;
    notes.wrong.add(index);
    metrics.entriesChecked.inc({ verdict: 'wrong' });
    log.warn({ assertion: assertionId, sponsor, entry: index, request: requestId, asserted, computed: outputCommitment }, 'wrong result found');
    return true;
  } catch (error) {
    if (!(error instanceof UnservableRequestError)) throw error;
    // Models that it was not given are not its business.
    if (inference.models.has(request.modelId)) notes.notComputed.add(index);
    metrics.entriesChecked.inc({ verdict: 'unknown' });
    log.warn({ assertion: assertionId, entry: index, request: requestId, model: request.modelId, reason: error.message }, 'entry cannot be checked');
    return false;
  }
}

async function challenge(context: AgentContext, assertion: AssertionRecord, index: number, head: Head): Promise<void> {
  const { client, contracts, inference, sender, store, self, log } = context;
  const { assertionId } = assertion;
  if (await isChallenged(context, assertionId)) return;
  const { path, requestId, outputCommitment, index: position } = proveEntry(assertion, index);
  const request = await store.get('requests', requestId);
  if (request === undefined) throw new Error(`request ${requestId} is not in the store`);
  await requireSameFacts(context, requestId, request);
  const challengerStake = await challengeStake(context, requestId);
  // The challenge carries the node's own states: it takes the inside of the inference, which is computed again for it.
  const trace = await inference.trace(request);
  const { opening, split } = await openingMove(trace.steps, trace, playOptionsOf(context));
  const entry = { index: position, requestId, outputCommitment, path };
  const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'challenge', args: [assertionId, entry, opening, splitArgument(split)] });
  const transaction = { intent: `challenge:${assertionId}`, to: contracts.assertions, value: challengerStake, data, ...blobsOf(split) };
  await checkByReplay(transaction, self, client, head);
  const { hash, gasUsed } = await sender.send(transaction);
  log.warn({ assertion: assertionId, entry: index, request: requestId, stake: challengerStake, transaction: hash, gasUsed }, 'challenged');
}

/** A node whose store does not match the chain must not put a stake on what it computed from it. */
async function requireSameFacts({ client, contracts }: AgentContext, requestId: Hex, request: RequestRecord): Promise<void> {
  const [modelId, inputCommitment, seed] = await client.readContract({ address: contracts.inbox, abi: inboxAbi, functionName: 'facts', args: [requestId] });
  if (request.modelId !== modelId || request.inputCommitment !== inputCommitment || request.seed !== seed) {
    throw new Error(`the store's request ${requestId} is not the chain's: no challenge is made on it`);
  }
}

/** How many answers one assertion corrects: an attacker decides how many there are, and a transaction's gas is capped. */
const CORRECTIONS = { size: 64, delay: 0 };

/**
 * Sponsors the right result of every pending request that only wrong or defeated assertions answer: users get what they paid
 * for, and the node the fee. Requests that nobody answered are a sequencer's business.
 */
export function correctResults(): Duty {
  const computer = createComputer();
  return async (context, head) => {
    const { store, inference, contracts } = context;
    const answered: RequestRecord[] = [];
    const answers = new Map<Hex, Answer[]>();
    for (const request of await pendingRequests(store, head.timestamp)) {
      if (!inference.models.has(request.modelId) || !canBeDelivered(request, head.timestamp + contracts.window)) continue;
      const found = await answersTo(store, request.requestId);
      if (found.length === 0) continue;
      answers.set(request.requestId, found);
      answered.push(request);
    }
    const compute = computer.tasks(context, answered);
    const wanted = computer.answers().filter(({ request, result }) =>
      !answers.get(request.requestId)?.some((answer) => !answer.assertion.defeated && answer.outputCommitment === result.outputCommitment));
    const batch = nextBatch(await notDisproven(context, wanted), CORRECTIONS, Date.now());
    return [...compute, ...(await assertAnswers(context, batch))];
  };
}
