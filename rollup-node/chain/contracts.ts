import { getAddress } from 'viem';
import type { Address } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { calldataArity } from '../../fraud-proof/dispute/split.ts';
import type { Arity } from '../../fraud-proof/dispute/split.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { ChainClient } from './client.ts';

/** The deployed contracts of one rollup. */
export interface Contracts {
  readonly registry: Address;
  readonly inbox: Address;
  readonly assertions: Address;
  readonly game: Address;
  readonly machine: Address;
}

/** What the rollup was deployed with: it never changes. */
export interface RollupConstants {
  /** Seconds in which an assertion can be challenged. */
  readonly window: bigint;
  /** Wei that an assertion locks. */
  readonly bond: bigint;
  /** Wei that a winning challenger gets out of it. */
  readonly bounty: bigint;
  /** Of splits whose claims travel as calldata. */
  readonly arity: Arity;
}

/** Finds the other contracts from the assertions' address. @throws UserError when there is no such contract. */
export async function readContracts(client: ChainClient, assertions: Address): Promise<Contracts & RollupConstants> {
  const contract = { address: assertions, abi: resultAssertionsAbi } as const;
  try {
    const [inbox, registry, game, machine, window, bond, bounty] = await Promise.all([
      client.readContract({ ...contract, functionName: 'INBOX' }),
      client.readContract({ ...contract, functionName: 'REGISTRY' }),
      client.readContract({ ...contract, functionName: 'GAME' }),
      client.readContract({ ...contract, functionName: 'MACHINE' }),
      client.readContract({ ...contract, functionName: 'window' }),
      client.readContract({ ...contract, functionName: 'bond' }),
      client.readContract({ ...contract, functionName: 'bounty' }),
    ]);
    const arity = await client.readContract({ address: game, abi: dissectionGameAbi, functionName: 'ARITY' });
    return { assertions: getAddress(assertions), inbox, registry, game, machine, window, bond, bounty, arity: calldataArity(Number(arity)) };
  } catch (error) {
    throw new UserError(`there is no Assay rollup at ${assertions} on chain ${client.chain.id}: ${reasonOf(error)}`, {
      exitCode: ExitCode.chain,
      hint: 'set --assertions to the address of its ResultAssertions contract',
      cause: error,
    });
  }
}
