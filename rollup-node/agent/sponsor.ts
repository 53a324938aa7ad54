import { encodeFunctionData, zeroHash } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { assertedKey } from '../chain/projection.ts';
import { wasDisproven } from './answers.ts';
import type { ComputedAnswer } from './compute.ts';
import type { AgentContext } from './duty.ts';
import type { Task } from './tasks.ts';

/** The answers that were not disproven as the node's own before: a bond would be lost a second time. */
export async function notDisproven({ store, self }: AgentContext, answers: readonly ComputedAnswer[]): Promise<ComputedAnswer[]> {
  const disproven = await Promise.all(answers.map(({ request, result }) => wasDisproven(store, self, request.requestId, result.outputCommitment)));
  return answers.filter((_, index) => disproven[index] === false);
}

/**
 * Asserts answers with the node's own bond. The transaction is named by the number of the node's assertions so far, so that
 * after a kill the one that is under way is found again instead of a second bond being locked.
 */
export async function assertAnswers(context: AgentContext, answers: readonly ComputedAnswer[]): Promise<Task[]> {
  const { store, sender, contracts, self, log } = context;
  if (answers.length === 0) return [];
  const made = (await store.get('counters', assertedKey(self))) ?? 0;
  const data = encodeFunctionData({
    abi: resultAssertionsAbi,
    functionName: 'assertResults',
    args: [zeroHash, answers.map(({ request }) => request.requestId), answers.map(({ result }) => result.outputCommitment)],
  });
  return [{
    key: 'assert',
    run: async () => {
      const { gasUsed, hash } = await sender.send({ intent: `assert:${made}`, to: contracts.assertions, value: contracts.bond, data });
      log.info({ answers: answers.length, transaction: hash, gasUsed, bond: contracts.bond }, 'asserted');
    },
  }];
}
