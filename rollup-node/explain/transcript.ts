import { decodeFunctionData, isAddressEqual, parseEventLogs, size, slice } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { Role } from '../../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, segmentAt } from '../../fraud-proof/dispute/split.ts';
import type { Arity, Segment } from '../../fraud-proof/dispute/split.ts';
import { Status } from '../../fraud-proof/machine/state.ts';
import { ExitCode, UserError } from '../errors.ts';
import type { AssertionRecord, DisputeMove, DisputeRecord, ModelRecord, Occurrence, RequestRecord } from '../store/tables.ts';
import type { ChainGames } from './games.ts';

/** One split of a game, as its author claimed it. */
export interface SplitClaim extends Segment, Occurrence {
  readonly kind: 'challenge' | 'answer' | 'move';
  readonly by: Role;
  /** Segment of the split before that it is about; null for the challenge, which is about all steps. */
  readonly segment: number | null;
  readonly arity: Arity;
  readonly first: Hex;
  /** The states at the inner bounds; null where a blob carried them. */
  readonly inner: readonly Hex[] | null;
  readonly last: Hex;
  /** The blob's versioned hash. */
  readonly blob: Hex | null;
}

/** The one step that a game ended with. */
export interface ProvenClaim extends Occurrence {
  readonly segment: number;
  readonly step: bigint;
  /** The states before and after it, as the last split has them. */
  readonly start: Hex;
  readonly end: Hex;
  readonly proof: Hex;
}

/** What the challenger's claimed last state shows: an output, or that there is none. */
export type ShownOutput = { readonly kind: 'output'; readonly commitment: Hex } | { readonly kind: 'none'; readonly status: 'running' | 'failed' };

/** A game as L1 shows it. */
export interface Transcript {
  readonly dispute: DisputeRecord;
  readonly request: RequestRecord;
  readonly model: ModelRecord;
  readonly assertion: AssertionRecord;
  readonly splits: readonly SplitClaim[];
  /** Null where the challenge came through a contract whose calls only a trace shows. */
  readonly shown: ShownOutput | null;
  /** Null as long as no step is proven, or where the proof came through a contract whose calls only a trace shows. */
  readonly proven: ProvenClaim | null;
}

/** What a game is read from: L1, and the rollup's events of it. */
export type GameReader = Pick<ChainGames, 'client' | 'contracts' | 'store'>;

/** Reads all of a game. @throws UserError when the endpoint no longer has a transaction of it */
export async function readTranscript(games: GameReader, dispute: DisputeRecord): Promise<Transcript> {
  const { store, contracts } = games;
  const [request, assertion] = await Promise.all([store.get('requests', dispute.requestId), store.get('assertions', dispute.assertionId)]);
  const model = request === undefined ? undefined : await store.get('models', request.modelId);
  if (request === undefined || assertion === undefined || model === undefined) {
    throw new UserError(`the request or the model of dispute ${dispute.gameId} is not among the events that were read`, { exitCode: ExitCode.chain, hint: 'set --start-block to the block of the contracts\' deployment, or before' });
  }
  const splits: SplitClaim[] = [];
  for (const move of dispute.moves) {
    if (move.kind !== 'end') splits.push(await readSplit(games, dispute, move, move.kind, splits));
  }
  const opened = await callsOf(games, dispute.moves[0], contracts.assertions, resultAssertionsAbi);
  const end = dispute.moves.find(({ kind }) => kind === 'end');
  const proofs = end === undefined || dispute.ending === 'timeout' ? [] : await callsOf(games, end, contracts.game, dissectionGameAbi);
  const last = splits.at(-1) as SplitClaim;
  return {
    dispute, request, model, assertion, splits,
    shown: opened.flatMap(({ functionName, args }) => (functionName === 'challenge' ? [args as unknown as ChallengeArguments] : []))
      .flatMap(([, , opening, { end: claimed }]) => (claimed === splits[0]?.last ? [shownBy(opening)] : []))[0] ?? null,
    proven: proofs.flatMap(({ functionName, args }) => (functionName === 'prove' ? [args as unknown as ProveArguments] : []))
      .flatMap(([terms, { segment, start, end: claimed }, proof]) => (end !== undefined && terms.binding === dispute.binding && terms.initialState === dispute.initialState
        ? [{ ...at(end), segment: Number(segment), step: segmentAt(last, Number(segment), last.arity).start, start, end: claimed, proof }] : []))[0] ?? null,
  };
}

type ChallengeArguments = readonly [assertionId: Hex, entry: unknown, opening: Hex, split: { readonly end: Hex }];
type ProveArguments = readonly [terms: { readonly binding: Hex; readonly initialState: Hex }, pick: { readonly segment: bigint; readonly start: Hex; readonly end: Hex }, proof: Hex];

const at = ({ blockNumber, timestamp, transactionHash }: Occurrence): Occurrence => ({ blockNumber, timestamp, transactionHash });
const ZERO = `0x${'00'.repeat(32)}`;

/** The split of one move: from the log, since a move may come through any contract. */
async function readSplit({ client, contracts }: GameReader, { gameId, initialState, steps }: DisputeRecord, move: DisputeMove, kind: SplitClaim['kind'], before: readonly SplitClaim[]): Promise<SplitClaim> {
  const receipt = await client.getTransactionReceipt({ hash: move.transactionHash });
  const logs = receipt.logs.filter(({ address }) => isAddressEqual(address, contracts.game));
  const claimed = (states: readonly Hex[], blob: Hex): Pick<SplitClaim, 'arity' | 'inner' | 'last' | 'blob'> => blob === ZERO
    ? { arity: contracts.arity, inner: states.slice(0, -1), last: states.at(-1) as Hex, blob: null }
    : { arity: BLOB_ARITY, inner: null, last: states.at(-1) as Hex, blob };
  const facts = { ...at(move), kind, by: move.by };
  if (kind === 'challenge') {
    const event = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs }).find(({ args }) => args.gameId === gameId);
    if (event !== undefined) return { ...facts, ...claimed(event.args.states, event.args.blob), segment: null, start: 0n, length: steps, first: initialState };
  }
  const previous = before.at(-1);
  const moved = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Moved', logs }).filter(({ args }) => args.gameId === gameId);
  // A transaction may have several moves of a game: they are told apart by their place in it.
  const event = moved[before.filter(({ transactionHash, segment }) => transactionHash === move.transactionHash && segment !== null).length];
  if (event === undefined || previous === undefined) throw new UserError(`transaction ${move.transactionHash} has no move of dispute ${gameId} any more`, { exitCode: ExitCode.chain, hint: 'the chain was reorganised; try again' });
  const { segment, start: first, states, blob } = event.args;
  return { ...facts, ...claimed(states, blob), ...segmentAt(previous, Number(segment), previous.arity), segment: Number(segment), first };
}

interface DecodedCall { readonly functionName: string; readonly args: readonly unknown[] }

/** The calls that a transaction made of a contract, those of a `batch` each; none where it went through another contract. */
async function callsOf({ client }: GameReader, move: DisputeMove | undefined, contract: Address, abi: Abi): Promise<readonly DecodedCall[]> {
  if (move === undefined) return [];
  const { to, input } = await client.getTransaction({ hash: move.transactionHash });
  if (to === null || !isAddressEqual(to, contract)) return [];
  return decodeCalls(abi, input);
}

/** A call's arguments, or those of each call of a `batch`; what is no call of the contract is left out. */
function decodeCalls(abi: Abi, data: Hex): readonly DecodedCall[] {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    return functionName === 'batch' ? (args[0] as readonly Hex[]).flatMap((call) => decodeCalls(abi, call)) : [{ functionName, args }];
  } catch {
    return [];
  }
}

/** Words before the output's commitment in the opening of a finished state: status, header, root of the slots. */
const BEFORE_OUTPUT = 10;

function shownBy(opening: Hex): ShownOutput | null {
  if (size(opening) < 32) return null;
  const status = Number(BigInt(slice(opening, 0, 32)));
  if (status !== Status.FINISHED) return { kind: 'none', status: status === Status.RUNNING ? 'running' : 'failed' };
  return size(opening) < 32 * (BEFORE_OUTPUT + 1) ? null : { kind: 'output', commitment: slice(opening, 32 * BEFORE_OUTPUT, 32 * (BEFORE_OUTPUT + 1)) };
}
