import { formatEther, parseEventLogs } from 'viem';
import type { Address, Hex, Log } from 'viem';
import { dissectionGameAbi, forumAbi, inboxAbi, modelRegistryAbi, resultAssertionsAbi, storybookAbi } from '../../contracts/abi/generated.ts';
import { CALLDATA_ARITY, segmentAt } from '../../fraud-proof/dispute/split.ts';
import type { Segment } from '../../fraud-proof/dispute/split.ts';

/** All events of the rollup and of the example dApps, whose `Expired` are alike. */
const EVENTS = [...dissectionGameAbi, ...resultAssertionsAbi, ...inboxAbi, ...modelRegistryAbi, ...forumAbi, ...storybookAbi.filter((item) => item.type !== 'event' || item.name !== 'Expired')].filter((item) => item.type === 'event');

type RollupEvent = ReturnType<typeof parseEventLogs<typeof EVENTS, true>>[number];

/** Who and what stands behind addresses, and what has been seen of the games so far. */
export interface Narration {
  /** A name for an address. */
  nameOf(address: Address): string;
  /** A delivered result, ABI encoded, for people. */
  readable(result: Hex): string;
  readonly games: Map<Hex, Segment>;
}

/** What the events of one transaction say, each in a clause; events that only repeat another are left out. */
export function describeLogs(logs: readonly Log[], narration: Narration): string[] {
  const events = parseEventLogs({ abi: EVENTS, logs: [...logs], strict: true });
  const causes = events.filter(({ eventName }) => CAUSES.has(eventName));
  return [...causes, ...events.filter((event) => !causes.includes(event))].flatMap((event) => describeEvent(event, narration) ?? []);
}

/** Contracts log these after what follows from them. */
const CAUSES: ReadonlySet<string> = new Set(['Submitted', 'Begun', 'Delivered', 'Settled']);

/** `Ending.Timeout` of the dissection game. */
const TIMEOUT = 2;

const ether = (wei: bigint): string => `${Number(formatEther(wei)).toLocaleString('en', { maximumFractionDigits: 4 })} ETH`;
const count = (number: bigint): string => number.toLocaleString('en');

function describeEvent(event: RollupEvent, { nameOf, readable, games }: Narration): string | null {
  switch (event.eventName) {
    case 'ModelRegistered': return `publishes the model ${event.args.modelId.slice(0, 10)}… as the contract function ${event.args.signature}`;
    case 'Joined': return `joins the forum as a reader of "${event.args.language}"`;
    case 'Submitted': return `posts “${event.args.text}”`;
    case 'Requested': return `${nameOf(event.args.requester)} calls the model's contract, fee ${ether(event.args.fee)}`;
    case 'Asserted': return `asserts the result of ${event.args.requestIds.length === 1 ? 'the request' : `${event.args.requestIds.length} requests`}: output ${event.args.outputCommitments[0]?.slice(0, 10) ?? ''}…`;
    case 'Opened':
      games.set(event.args.gameId, { start: 0n, length: event.args.terms.steps });
      return `challenges it, stake ${ether(event.args.terms.challengerStake)}, with a final state of its own: ${count(event.args.terms.steps)} machine steps are in dispute`;
    case 'Moved': {
      const segment = segmentAt(games.get(event.args.gameId) ?? { start: 0n, length: 1n }, Number(event.args.segment), CALLDATA_ARITY);
      games.set(event.args.gameId, segment);
      return `disputes segment ${event.args.segment}: ${count(segment.length)} ${segment.length === 1n ? 'step' : 'steps'} from step ${count(segment.start)} on`;
    }
    case 'Settled':
      return `${event.args.ending === TIMEOUT ? 'claims the time-out' : 'has one step computed by the chain'}: ${nameOf(event.args.winner)} wins ${ether(event.args.paid)}, ${ether(event.args.burnt)} are burnt`;
    case 'Defeated': return 'the assertion is defeated, its bond lost';
    case 'GameSettled': return event.args.bounty > 0n ? `bounty of ${ether(event.args.bounty)} to ${nameOf(event.args.challenger)}` : null;
    case 'Delivered': return `delivers “${readable(event.args.result)}” to the caller${event.args.callbackSucceeded ? '' : ', whose callback failed'}`;
    case 'Published': return `the forum publishes the post: ${event.args.language} has readers`;
    case 'Rejected': return `the forum rejects the post: nobody reads ${event.args.language}`;
    case 'Begun': return 'begins a story';
    case 'Continued': return 'the storybook has its continuation';
    case 'FeeClaimed': return `the fee of ${ether(event.args.fee)} goes to ${nameOf(event.args.sponsor)}`;
    case 'BondReleased': return event.args.paid > 0n ? `the assertion is final: bond of ${ether(event.args.paid)} back` : `${ether(event.args.burnt)} of the bond burnt`;
    case 'Withdrawn': return event.args.amount > 0n ? `withdraws ${ether(event.args.amount)}` : null;
    default: return null;
  }
}
