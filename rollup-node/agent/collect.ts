import { encodeFunctionData, formatEther, isAddressEqual } from 'viem';
import type { Address } from 'viem';
import { inboxAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { assertionPhase } from '../chain/clock.ts';
import { proveEntry } from '../chain/entries.ts';
import { withdrawnKey } from '../chain/projection.ts';
import { answersTo, standingAnswersOf } from './answers.ts';
import type { AgentContext, Duty } from './duty.ts';
import type { Task } from './tasks.ts';

/** Fetches what the node has earned: fees of delivered requests, bonds of assertions that stand, credits. */
export const collectEarnings: Duty = async (context, head) => [
  ...(await feeClaims(context, head.timestamp)),
  ...(await bondWithdrawals(context, head.timestamp)),
  ...(await withdrawals(context)),
];

/** Gas of a claim, generously: anybody may ask for a fee of one wei, and it must not cost the node more to have it. */
const CLAIM_GAS = 120_000n;

async function feeClaims({ client, store, self, sender, contracts, log }: AgentContext, time: bigint): Promise<Task[]> {
  const tasks: Task[] = [];
  const unclaimed = await store.list('unclaimedFees');
  const cost = unclaimed.length === 0 ? 0n : CLAIM_GAS * (await client.getGasPrice());
  for (const { key } of unclaimed) {
    const request = await store.get('requests', key);
    if (request === undefined || request.fee <= cost) continue;
    const answer = standingAnswersOf(await answersTo(store, request.requestId), self).find(({ assertion }) => assertionPhase(assertion, time) === 'final');
    if (answer === undefined) continue;
    const { index, requestId, outputCommitment, path } = proveEntry(answer.assertion, answer.index);
    const data = encodeFunctionData({ abi: inboxAbi, functionName: 'claimFee', args: [requestId, answer.assertionId, index, outputCommitment, path] });
    tasks.push({
      key: `fee:${requestId}`,
      run: async () => {
        await sender.send({ intent: `fee:${requestId}`, to: contracts.inbox, data });
        log.info({ request: requestId, wei: request.fee }, 'fee claimed');
      },
    });
  }
  return tasks;
}

async function bondWithdrawals({ store, self, sender, contracts, log }: AgentContext, time: bigint): Promise<Task[]> {
  const tasks: Task[] = [];
  for (const { key: assertionId } of await store.list('openAssertions')) {
    const assertion = await store.get('assertions', assertionId);
    if (assertion === undefined || !isAddressEqual(assertion.sponsor, self)) continue;
    const phase = assertionPhase(assertion, time);
    if (phase !== 'final' && phase !== 'waiting') continue;
    const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'withdrawBond', args: [assertion.assertionId] });
    tasks.push({
      key: `bond:${assertionId}`,
      run: async () => {
        await sender.send({ intent: `bond:${assertionId}`, to: contracts.assertions, data });
        log.info({ assertion: assertionId }, 'bond withdrawn');
      },
    });
  }
  return tasks;
}

/** Gas of a withdrawal, generously: less credit than that is left where it is until more has come. */
const WITHDRAWAL_GAS = 100_000n;

/** Credits are fetched one withdrawal at a time; the chain's count of earlier ones keeps two of them apart. */
async function withdrawals({ client, store, self, sender, contracts, log, metrics }: AgentContext): Promise<Task[]> {
  const owed = (address: Address): Promise<bigint> => client.readContract({ address, abi: inboxAbi, functionName: 'owed', args: [self] });
  const due = await Promise.all([contracts.inbox, contracts.assertions, contracts.game].map(async (address) => ({ address, amount: await owed(address) })));
  metrics.balance.set(Number(formatEther(await client.getBalance({ address: self }))));
  if (due.every(({ amount }) => amount === 0n)) return [];
  const cost = WITHDRAWAL_GAS * (await client.getGasPrice());
  return Promise.all(due.filter(({ amount }) => amount > cost).map(async ({ address, amount }) => {
    const intent = `withdraw:${address}:${(await store.get('counters', withdrawnKey(address, self))) ?? 0}`;
    return {
      key: intent,
      run: async () => {
        await sender.send({ intent, to: address, data: encodeFunctionData({ abi: inboxAbi, functionName: 'withdraw', args: [self] }) });
        log.info({ contract: address, wei: amount }, 'credit withdrawn');
      },
    };
  }));
}
