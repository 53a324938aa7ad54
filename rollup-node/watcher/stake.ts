import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { AgentContext } from '../agent/duty.ts';

/** Wei that a challenge of an entry for this request locks. */
export async function challengeStake({ client, contracts }: Pick<AgentContext, 'client' | 'contracts'>, requestId: Hex): Promise<bigint> {
  const { challengerStake } = await client.readContract({ address: contracts.assertions, abi: resultAssertionsAbi, functionName: 'terms', args: [requestId] });
  return challengerStake;
}
