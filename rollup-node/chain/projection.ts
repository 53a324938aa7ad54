import { isAddressEqual, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { BLOB_ARITY, segmentAt } from '../../fraud-proof/dispute/split.ts';
import type { Arity, Segment } from '../../fraud-proof/dispute/split.ts';
import { numberKey } from '../store/store.ts';
import type { Change, Store } from '../store/store.ts';
import type { AssertionRecord, ChainTable, DisputeRecord, Occurrence, RequestRecord, SplitRecord, Tables } from '../store/tables.ts';
import type { Contracts, RollupConstants } from './contracts.ts';
import { parseEvents } from './events.ts';
import type { RollupEvent } from './events.ts';
import type { Projection } from './follower.ts';

/** Reads the rollup's events of a block into the store's chain tables. What it gives depends on the events and the store alone. */
export const rollupProjection = (contracts: Contracts & Pick<RollupConstants, 'arity'>): Projection => async (logs, store, block) => {
  const draft = new Draft(store);
  for (const event of parseEvents(contracts, logs)) {
    await applyEvent(draft, contracts, event, { blockNumber: block.number, timestamp: block.timestamp, transactionHash: event.transactionHash });
  }
  return draft.changes();
};

/** The store with changes that are not written yet. */
class Draft {
  readonly #store: Pick<Store, 'get'>;
  readonly #changes = new Map<string, Change<ChainTable>>();

  constructor(store: Pick<Store, 'get'>) {
    this.#store = store;
  }

  async get<N extends ChainTable>(table: N, key: string): Promise<Tables[N] | undefined> {
    const change = this.#changes.get(`${table}!${key}`);
    return change === undefined ? this.#store.get(table, key) : (change.value as Tables[N] | undefined);
  }

  put<N extends ChainTable>(table: N, key: string, value: Tables[N]): void {
    this.#changes.set(`${table}!${key}`, { table, key, value } as Change<ChainTable>);
  }

  delete(table: ChainTable, key: string): void {
    this.#changes.set(`${table}!${key}`, { table, key, value: undefined });
  }

  async update<N extends ChainTable>(table: N, key: string, change: (record: Tables[N]) => Tables[N]): Promise<void> {
    const record = await this.get(table, key);
    if (record !== undefined) this.put(table, key, change(record));
  }

  async count(key: string): Promise<void> {
    this.put('counters', key, ((await this.get('counters', key)) ?? 0) + 1);
  }

  changes(): Change<ChainTable>[] {
    return [...this.#changes.values()];
  }
}

/** Key of the counter of a sponsor's assertions. */
export const assertedKey = (sponsor: Address): string => `asserted!${sponsor}`;
/** Key of the counter of an account's withdrawals from a contract. */
export const withdrawnKey = (contract: Address, account: Address): string => `withdrawn!${contract}!${account}`;
/** Key of an answer. */
export const answerKey = (requestId: Hex, assertionId: Hex): string => `${requestId}!${assertionId}`;

async function applyEvent(draft: Draft, contracts: Contracts & Pick<RollupConstants, 'arity'>, event: RollupEvent, at: Occurrence): Promise<void> {
  switch (event.eventName) {
    case 'ModelRegistered': return modelRegistered(draft, event.args, at);
    case 'Requested': return requested(draft, event.args, at);
    case 'Delivered': {
      const { requestId, assertionId, result, callbackSucceeded } = event.args;
      await draft.update('requests', requestId, (request) => {
        draft.delete('pendingRequests', numberKey(request.index));
        if (request.feeTo === undefined) draft.put('unclaimedFees', requestId, true);
        return { ...request, status: 'delivered', delivery: { ...at, assertionId, result, callbackSucceeded } };
      });
      return;
    }
    case 'Refunded':
      await draft.update('requests', event.args.requestId, (request) => {
        draft.delete('pendingRequests', numberKey(request.index));
        return { ...request, status: 'refunded', feeTo: event.args.requester };
      });
      return;
    case 'FeeClaimed': return feeSpent(draft, event.args.requestId, event.args.sponsor);
    case 'FeeReclaimed': return feeSpent(draft, event.args.requestId, event.args.requester);
    case 'Withdrawn': return draft.count(withdrawnKey(contracts[event.contract], event.args.account));
    case 'Asserted': return asserted(draft, event.args, at);
    case 'Challenged': return challenged(draft, event.args, at);
    case 'Defeated': return draft.update('assertions', event.args.assertionId, (assertion) => ({ ...assertion, defeated: true }));
    case 'Confirmed': return confirmed(draft, event.args.claim);
    case 'GameSettled': return gameSettled(draft, event.args);
    case 'BondReleased':
      draft.delete('openAssertions', event.args.assertionId);
      return draft.update('assertions', event.args.assertionId, (assertion) => ({ ...assertion, bondReleased: true }));
    case 'Opened': {
      const { gameId, terms, states, blob } = event.args;
      const { client, asserter, challenger, initialState, binding, steps, asserterStake, challengerStake } = terms;
      if (!isAddressEqual(client, contracts.assertions)) return;
      const allowance = BigInt(terms.allowance);
      // `Challenged` follows in the same transaction and says what it is about.
      draft.put('disputes', gameId, {
        gameId, asserter, challenger, initialState, binding, steps, allowance, asserterStake, challengerStake,
        assertionId: '0x', index: 0, requestId: '0x', outputCommitment: '0x',
        split: splitRecord({ start: 0n, length: steps }, initialState, states, blob, at),
        phase: 'asserter-to-answer', turnStartedAt: at.timestamp, asserterRemaining: allowance, challengerRemaining: allowance,
        moves: [{ ...at, kind: 'challenge', by: 'challenger' }], settled: false, bounty: 0n,
      });
      draft.put('disputeOrder', orderKey(at, gameId), gameId);
      draft.put('openDisputes', gameId, true);
      return;
    }
    case 'Moved': return moved(draft, contracts.arity, event.args, at);
    case 'Settled': {
      const { gameId, asserterWon, ending, winner, paid, burnt } = event.args;
      return draft.update('disputes', gameId, (dispute) => ({
        ...dispute,
        phase: asserterWon ? 'asserter-won' : 'challenger-won',
        ending: endingOf(ending),
        paidOut: { to: winner, paid, burnt },
        moves: [...dispute.moves, { ...at, kind: 'end', by: dispute.phase === 'challenger-to-move' ? 'challenger' : 'asserter' }],
      }));
    }
    default:
      // Delegates are the players' own business.
      return;
  }
}

type Arguments<N extends RollupEvent['eventName']> = Extract<RollupEvent, { eventName: N }>['args'];

const orderKey = (at: Occurrence, id: Hex): string => `${numberKey(at.blockNumber)}!${id}`;

async function modelRegistered(draft: Draft, event: Arguments<'ModelRegistered'>, at: Occurrence): Promise<void> {
  const { modelId, model: contract, registrant, fee, uri, header, signature } = event;
  const known = await draft.get('models', modelId);
  const others = (known?.contracts ?? []).filter((entry) => !isAddressEqual(entry.contract, contract));
  draft.put('models', modelId, { ...(known ?? { modelId, header: [...header], signature, registered: at }), contracts: [...others, { contract, registrant, fee, uri }] });
}

function requested(draft: Draft, event: Arguments<'Requested'>, at: Occurrence): void {
  const { requestId, modelId, requester, index, model, input, inputCommitment, seed, finality, callbackGas, deadline, fee } = event;
  const request: RequestRecord = {
    requestId, index, modelId, contract: model, requester, input, inputCommitment, seed,
    finality: finality === 0 ? 'asserted' : 'final', callbackGas, deadline, fee, status: 'pending', requested: at,
  };
  draft.put('requests', requestId, request);
  draft.put('requestOrder', numberKey(index), requestId);
  draft.put('pendingRequests', numberKey(index), requestId);
}

async function feeSpent(draft: Draft, requestId: Hex, feeTo: Address): Promise<void> {
  draft.delete('unclaimedFees', requestId);
  await draft.update('requests', requestId, (request) => ({ ...request, feeTo }));
}

async function asserted(draft: Draft, event: Arguments<'Asserted'>, at: Occurrence): Promise<void> {
  const { assertionId, sponsor, parent, root, nonce, challengeableUntil, requestIds, outputCommitments } = event;
  const independent = parent === zeroHash;
  const parentConfirmed = independent || (await draft.get('confirmedClaims', parent)) !== undefined;
  if (!independent) draft.put('children', parent, [...((await draft.get('children', parent)) ?? []), assertionId]);
  const assertion: AssertionRecord = {
    assertionId, sponsor, parent, parentConfirmed, root, nonce, challengeableUntil, requestIds, outputCommitments, asserted: at, openGames: 0, defeated: false, bondReleased: false,
  };
  draft.put('assertions', assertionId, assertion);
  draft.put('assertionOrder', orderKey(at, assertionId), assertionId);
  draft.put('openAssertions', assertionId, true);
  for (const [index, requestId] of requestIds.entries()) {
    const key = answerKey(requestId, assertionId);
    // The first of several entries for one request is the one that is delivered.
    if ((await draft.get('answers', key)) === undefined) draft.put('answers', key, { assertionId, index, outputCommitment: outputCommitments[index] as Hex, sponsor });
  }
  await draft.count(assertedKey(sponsor));
}

async function confirmed(draft: Draft, claim: Hex): Promise<void> {
  draft.put('confirmedClaims', claim, true);
  for (const child of (await draft.get('children', claim)) ?? []) await draft.update('assertions', child, (assertion) => ({ ...assertion, parentConfirmed: true }));
}

async function challenged(draft: Draft, event: Arguments<'Challenged'>, at: Occurrence): Promise<void> {
  const { assertionId, gameId, index, requestId, outputCommitment } = event;
  const assertion = await draft.get('assertions', assertionId);
  if (assertion === undefined) throw new Error(`a challenge in transaction ${at.transactionHash} names assertion ${assertionId}, whose event is missing: is startBlock too late?`);
  draft.put('assertions', assertionId, { ...assertion, openGames: assertion.openGames + 1 });
  draft.put('assertionDisputes', `${assertionId}!${gameId}`, gameId);
  await draft.update('disputes', gameId, (dispute) => ({ ...dispute, assertionId, index: Number(index), requestId, outputCommitment }));
}

async function gameSettled(draft: Draft, event: Arguments<'GameSettled'>): Promise<void> {
  const { assertionId, gameId, bounty } = event;
  await draft.update('assertions', assertionId, (assertion) => ({ ...assertion, openGames: assertion.openGames - 1 }));
  draft.delete('openDisputes', gameId);
  await draft.update('disputes', gameId, (dispute) => ({ ...dispute, settled: true, bounty }));
}

async function moved(draft: Draft, arity: Arity, event: Arguments<'Moved'>, at: Occurrence): Promise<void> {
  const { gameId, segment, start, states, blob } = event;
  await draft.update('disputes', gameId, (dispute) => {
    const answered = dispute.split;
    const picked = segmentAt(answered, Number(segment), answered.blob === undefined ? arity : BLOB_ARITY);
    const by = dispute.phase === 'challenger-to-move' ? 'challenger' : 'asserter';
    const kind = dispute.phase === 'asserter-to-answer' ? 'answer' : 'move';
    return handOver({ ...dispute, split: splitRecord(picked, start, states, blob, at) }, { ...at, kind, by, segment: Number(segment) });
  });
}

function splitRecord(segment: Segment, first: Hex, states: readonly Hex[], blob: Hex, { blockNumber }: Occurrence): SplitRecord {
  const { start, length } = segment;
  return { start, length, first, inner: states.slice(0, -1), last: states.at(-1) as Hex, ...(blob === zeroHash ? {} : { blob: { versionedHash: blob, blockNumber } }) };
}

/** Charges the mover for its turn and starts the other's: what `GameClock.handOver` does. */
function handOver(dispute: DisputeRecord, move: DisputeRecord['moves'][number]): DisputeRecord {
  const elapsed = move.timestamp - dispute.turnStartedAt;
  const clocks = move.by === 'challenger'
    ? { phase: 'asserter-to-move' as const, challengerRemaining: dispute.challengerRemaining - elapsed }
    : { phase: 'challenger-to-move' as const, asserterRemaining: dispute.asserterRemaining - elapsed };
  return { ...dispute, ...clocks, turnStartedAt: move.timestamp, moves: [...dispute.moves, move] };
}

function endingOf(ending: number): NonNullable<DisputeRecord['ending']> {
  const name = (['proof', 'concession', 'timeout'] as const)[ending];
  if (name === undefined) throw new Error(`a game ended in an unknown way (${ending})`);
  return name;
}
