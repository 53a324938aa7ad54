import { isAddressEqual, parseEventLogs } from 'viem';
import type { Log } from 'viem';
import { dissectionGameAbi, inboxAbi, modelRegistryAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { Contracts } from './contracts.ts';

type ConfirmedLog = Log<bigint, number, false>;

function parse(contracts: Contracts, log: ConfirmedLog) {
  const logs = [log];
  // Each ABI is only tried on its own contract: events of the same name exist in two of them.
  if (isAddressEqual(log.address, contracts.inbox)) return tag('inbox', parseEventLogs({ abi: inboxAbi, logs, strict: true })[0]);
  if (isAddressEqual(log.address, contracts.assertions)) return tag('assertions', parseEventLogs({ abi: resultAssertionsAbi, logs, strict: true })[0]);
  if (isAddressEqual(log.address, contracts.game)) return tag('game', parseEventLogs({ abi: dissectionGameAbi, logs, strict: true })[0]);
  if (isAddressEqual(log.address, contracts.registry)) return tag('registry', parseEventLogs({ abi: modelRegistryAbi, logs, strict: true })[0]);
  return undefined;
}

const tag = <const S extends string, E extends object>(contract: S, event: E | undefined): (E & { readonly contract: S }) | undefined =>
  event === undefined ? undefined : { ...event, contract };

/** An event of one of the rollup's contracts, typed by `contract` and `eventName`. */
export type RollupEvent = NonNullable<ReturnType<typeof parse>>;

/** The rollup's events among logs, in order; others are left out. */
export const parseEvents = (contracts: Contracts, logs: readonly ConfirmedLog[]): RollupEvent[] =>
  logs.flatMap((log) => parse(contracts, log) ?? []);
