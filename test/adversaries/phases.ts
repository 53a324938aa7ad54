import { decodeFunctionResult, encodeFunctionData } from 'viem';
import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { Scene } from './scene.ts';
import type { Transaction } from './stage.ts';

/** `AssertionPhase`. */
export const PHASE = { waiting: 3, final: 4, defeated: 5 } as const;

export async function phaseOf({ stage }: Scene, id: Hex): Promise<number> {
  const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'phase', args: [id] });
  return decodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'phase', data: await stage.read(stage.assertions, data) });
}

/** Whether some instance of a claim was final, and somebody said so. */
export async function isConfirmed({ stage }: Scene, claim: Hex): Promise<boolean> {
  return BigInt(await stage.read(stage.assertions, encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'confirmed', args: [claim] }))) !== 0n;
}

/** The transaction that says that an assertion is final. */
export const confirmation = ({ stage }: Scene, id: Hex): Omit<Transaction, 'from'> =>
  ({ to: stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'confirm', args: [id] }) });

/** The transaction that gives an assertion's bond back, or burns it. */
export const bondRelease = ({ stage }: Scene, id: Hex): Omit<Transaction, 'from'> =>
  ({ to: stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'withdrawBond', args: [id] }) });
