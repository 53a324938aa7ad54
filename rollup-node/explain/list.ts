import type { Address, Hex } from 'viem';
import { harmless } from '../harmless.ts';
import type { DisputeRecord } from '../store/tables.ts';
import type { Games } from './games.ts';
import { gameStatus } from './status.ts';
import type { GameStatus } from './status.ts';
import { count, ether, shortAddress, shortId } from './words.ts';

/** A line of `assay disputes`: who, what, how far, and what comes next. */
export interface ListedDispute extends GameStatus {
  readonly gameId: Hex;
  readonly assertionId: Hex;
  /** The disputed entry of the assertion. */
  readonly entry: number;
  readonly requestId: Hex;
  /** Null where the request or the model is not known: the list starts too late. */
  readonly model: { readonly modelId: Hex; readonly signature: string } | null;
  readonly asserter: Address;
  readonly challenger: Address;
  /** Wei; the asserter brings its stake with its answer. */
  readonly stakes: { readonly asserter: bigint; readonly challenger: bigint };
}

export interface ListOptions {
  /** Only those in which somebody still has to send a transaction. */
  readonly open?: boolean;
  /** Only those of this party. */
  readonly account?: string;
  /** Only those about assertions whose id starts so. */
  readonly assertion?: string;
}

/** The disputes, newest first. */
export async function listDisputes(games: Games, { open, account, assertion }: ListOptions = {}): Promise<readonly ListedDispute[]> {
  const party = account?.toLowerCase();
  const chosen = (await games.disputes()).filter((dispute) =>
    (open !== true || !dispute.settled)
    && (party === undefined || [dispute.asserter, dispute.challenger].some((one) => one.toLowerCase() === party))
    && (assertion === undefined || dispute.assertionId.startsWith(assertion)));
  const listed: ListedDispute[] = [];
  for (const dispute of chosen) listed.push({ ...factsOf(dispute), model: await modelOf(games, dispute), ...gameStatus(dispute, games.head.timestamp, games.bounty) });
  return listed;
}

const factsOf = ({ gameId, assertionId, index, requestId, asserter, challenger, asserterStake, challengerStake }: DisputeRecord) =>
  ({ gameId, assertionId, entry: index, requestId, asserter, challenger, stakes: { asserter: asserterStake, challenger: challengerStake } });

async function modelOf(games: Games, { requestId }: DisputeRecord): Promise<ListedDispute['model']> {
  const request = await games.request(requestId);
  const model = request === undefined ? undefined : await games.model(request.modelId);
  return request === undefined || model === undefined ? null : { modelId: request.modelId, signature: model.signature };
}

const HEADINGS = ['game', 'model', 'request', 'asserter', 'challenger', 'level', 'turn', 'left', 'stakes', 'next'] as const;

/** The list as a table, ids shortened. */
export function disputeTable(disputes: readonly ListedDispute[]): string {
  const rows = disputes.map((one) => [
    shortId(one.gameId), harmless(one.model?.signature.replace(/\(.*$/s, '') ?? '?'), shortId(one.requestId), shortAddress(one.asserter), shortAddress(one.challenger),
    `${one.level} of ${one.levels}`, one.turn ?? '–', one.secondsLeft === null ? '–' : `${count(one.secondsLeft)} s`, `${ether(one.stakes.asserter)}, ${ether(one.stakes.challenger)}`, one.next,
  ]);
  const table = [[...HEADINGS], ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => (row[column] as string).length)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ').trimEnd()).join('\n');
}
