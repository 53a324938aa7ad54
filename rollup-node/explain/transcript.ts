import { decodeFunctionData, hexToBytes, isAddressEqual, parseEventLogs, size, slice } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { statesOfBlob } from '../../fraud-proof/dispute/blob-claims.ts';
import type { Role } from '../../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, segmentAt, segmentCount } from '../../fraud-proof/dispute/split.ts';
import type { Arity, Segment } from '../../fraud-proof/dispute/split.ts';
import { Status } from '../../fraud-proof/machine/state.ts';
import { InvalidProofError, verifyStep } from '../../fraud-proof/machine/verify.ts';
import { BlobUnavailableError, fetchBlob } from '../chain/blob-source.ts';
import type { BlobSource } from '../chain/blob-source.ts';
import { ExitCode, UserError } from '../errors.ts';
import { kzg } from '../kzg.ts';
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
  /** The states at the inner bounds; null where they are in a blob that could not be had. */
  readonly inner: readonly Hex[] | null;
  readonly last: Hex;
  /** The blob's versioned hash. */
  readonly blob: Hex | null;
  /** Why its blob could not be had: what every source answered. Null where no claim is missing. */
  readonly missing: readonly string[] | null;
  /** The other side's claim about the segment that this split is about: the state at its end; null where neither that side's claims nor the call are known. */
  readonly disputedEnd: Hex | null;
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

/**
 * Reads all of a game.
 * @param blobSources where blobs with claims are asked for; what none of them has is left out
 * @throws UserError when the endpoint no longer has a transaction of it
 */
export async function readTranscript(games: GameReader, dispute: DisputeRecord, blobSources: readonly BlobSource[] = []): Promise<Transcript> {
  const { store, contracts } = games;
  const [request, assertion] = await Promise.all([store.get('requests', dispute.requestId), store.get('assertions', dispute.assertionId)]);
  const model = request === undefined ? undefined : await store.get('models', request.modelId);
  if (request === undefined || assertion === undefined || model === undefined) {
    throw new UserError(`the request or the model of dispute ${dispute.gameId} is not among the events that were read`, { exitCode: ExitCode.chain, hint: 'set --start-block to the block of the contracts\' deployment, or before' });
  }
  const splits: SplitClaim[] = [];
  for (const move of dispute.moves) {
    if (move.kind !== 'end') splits.push(await withBlob(await readSplit(games, dispute, move, move.kind, splits), blobSources));
  }
  const opened = await callsOf(games, dispute.moves[0], contracts.assertions, resultAssertionsAbi);
  const end = dispute.moves.find(({ kind }) => kind === 'end');
  return {
    dispute, request, model, assertion, splits,
    shown: opened.flatMap(({ functionName, args }) => (functionName === 'challenge' ? [args as unknown as ChallengeArguments] : []))
      .flatMap(([, , opening, { end: claimed }]) => (claimed === splits[0]?.last ? [shownBy(opening)] : []))[0] ?? null,
    proven: end === undefined || dispute.ending === 'timeout' ? null : await readProof(games, dispute, end, splits.at(-1) as SplitClaim),
  };
}

type ChallengeArguments = readonly [assertionId: Hex, entry: unknown, opening: Hex, split: { readonly end: Hex }];
type TermsArgument = Pick<DisputeRecord, 'binding' | 'initialState'>;
interface PickArgument { readonly steps: bigint; readonly segment: bigint; readonly start: Hex; readonly end: Hex }

/** A call with which a party takes its turn in a game: what it disputes, and the proof where it is one. */
interface TurnCall { readonly pick: PickArgument; readonly proof: Hex | null }

/** The turns of a game that a transaction asked for; not all of them need have succeeded, since a batch passes over what fails. */
async function turnsOf(games: GameReader, { gameId, binding, initialState }: DisputeRecord, move: DisputeMove): Promise<readonly TurnCall[]> {
  const isOurs = (terms: TermsArgument): boolean => terms.binding === binding && terms.initialState === initialState;
  return (await callsOf(games, move, games.contracts.game, dissectionGameAbi)).flatMap(({ functionName, args }): TurnCall[] => {
    const [game, second, third] = args;
    if (functionName === 'move') return game === gameId ? [{ pick: third as PickArgument, proof: null }] : [];
    if (functionName !== 'answer' && functionName !== 'prove') return [];
    return isOurs(game as TermsArgument) ? [{ pick: second as PickArgument, proof: functionName === 'prove' ? third as Hex : null }] : [];
  });
}

/** The proof that ended a game, and no other that was tried with it. */
async function readProof(games: GameReader, dispute: DisputeRecord, end: DisputeMove, last: SplitClaim): Promise<ProvenClaim | null> {
  for (const { pick, proof } of await turnsOf(games, dispute, end)) {
    if (proof === null || pick.steps !== last.length || !isProof(pick.start, proof)) continue;
    const segment = Number(pick.segment);
    return { ...at(end), segment, step: segmentAt(last, segment, last.arity).start, start: pick.start, end: pick.end, proof };
  }
  return null;
}

function isProof(start: Hex, proof: Hex): boolean {
  try {
    verifyStep(hexToBytes(start), hexToBytes(proof));
    return true;
  } catch (error) {
    if (error instanceof InvalidProofError) return false;
    throw error;
  }
}

const at = ({ blockNumber, timestamp, transactionHash }: Occurrence): Occurrence => ({ blockNumber, timestamp, transactionHash });
const ZERO = `0x${'00'.repeat(32)}`;

/** A split with the claims in its blob, if it has one and somebody has that. */
async function withBlob(split: SplitClaim, sources: readonly BlobSource[]): Promise<SplitClaim> {
  const { blob: versionedHash, blockNumber, timestamp, first, last, length, arity } = split;
  if (versionedHash === null) return split;
  try {
    const blob = await fetchBlob({ versionedHash, blockNumber, timestamp }, sources, kzg);
    return { ...split, inner: statesOfBlob(first, blob, last, segmentCount(length, arity)).slice(1, -1) };
  } catch (error) {
    if (error instanceof BlobUnavailableError) return { ...split, missing: error.reasons };
    throw error;
  }
}

/** The split of one move: from the log, since a move may come through any contract. */
async function readSplit(games: GameReader, dispute: DisputeRecord, move: DisputeMove, kind: SplitClaim['kind'], before: readonly SplitClaim[]): Promise<SplitClaim> {
  const { client, contracts } = games;
  const { gameId, initialState, steps } = dispute;
  const receipt = await client.getTransactionReceipt({ hash: move.transactionHash });
  const logs = receipt.logs.filter(({ address }) => isAddressEqual(address, contracts.game));
  const claimed = (states: readonly Hex[], blob: Hex): Pick<SplitClaim, 'arity' | 'inner' | 'last' | 'blob'> => blob === ZERO
    ? { arity: contracts.arity, inner: states.slice(0, -1), last: states.at(-1) as Hex, blob: null }
    : { arity: BLOB_ARITY, inner: null, last: states.at(-1) as Hex, blob };
  const facts = { ...at(move), kind, by: move.by, missing: null };
  if (kind === 'challenge') {
    const event = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs }).find(({ args }) => args.gameId === gameId);
    if (event !== undefined) return { ...facts, ...claimed(event.args.states, event.args.blob), segment: null, start: 0n, length: steps, first: initialState, disputedEnd: null };
  }
  const previous = before.at(-1);
  const moved = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Moved', logs }).filter(({ args }) => args.gameId === gameId);
  // A transaction may have several moves of a game: they are told apart by their place in it.
  const event = moved[before.filter(({ transactionHash, segment }) => transactionHash === move.transactionHash && segment !== null).length];
  if (event === undefined || previous === undefined) throw new UserError(`transaction ${move.transactionHash} has no move of dispute ${gameId} any more`, { exitCode: ExitCode.chain, hint: 'the chain was reorganised; try again' });
  const { segment, start: first, states, blob } = event.args;
  const claim = { ...facts, ...claimed(states, blob), ...segmentAt(previous, Number(segment), previous.arity), segment: Number(segment), first };
  const known = previous.inner === null ? undefined : [...previous.inner, previous.last][Number(segment)];
  if (known !== undefined) return { ...claim, disputedEnd: known };
  const call = (await turnsOf(games, dispute, move)).find(({ pick }) => pick.steps === previous.length && pick.segment === segment && pick.start === first);
  return { ...claim, disputedEnd: call?.pick.end ?? null };
}

interface DecodedCall { readonly functionName: string; readonly args: readonly unknown[] }

/** The calls that a transaction made of a contract, those of a `batch` each that did not fail; none where it went through another contract. */
async function callsOf({ client }: GameReader, move: DisputeMove | undefined, contract: Address, abi: Abi): Promise<readonly DecodedCall[]> {
  if (move === undefined) return [];
  const { to, input } = await client.getTransaction({ hash: move.transactionHash });
  if (to === null || !isAddressEqual(to, contract)) return [];
  const call = decodeCall(abi, input);
  if (call?.functionName !== 'batch') return call === null ? [] : [call];
  const items = (call.args[0] as readonly Hex[]).map((item) => decodeCall(abi, item));
  const { logs } = await client.getTransactionReceipt({ hash: move.transactionHash });
  const failures = parseEventLogs({ abi: dissectionGameAbi, eventName: 'BatchItemFailed', logs: logs.filter(({ address }) => isAddressEqual(address, contract)) });
  const failed = new Set(failures.map(({ args }) => Number(args.index)));
  // A batch in a batch numbers its own calls: which of them failed cannot be told.
  const isNested = items.some((item) => item?.functionName === 'batch');
  return isNested ? items.flatMap((item) => flattened(abi, item)) : items.flatMap((item, index) => (item === null || failed.has(index) ? [] : [item]));
}

/** A call, or those of a batch; what is no call of the contract is left out. */
const flattened = (abi: Abi, call: DecodedCall | null): readonly DecodedCall[] =>
  call === null ? [] : call.functionName !== 'batch' ? [call] : (call.args[0] as readonly Hex[]).flatMap((item) => flattened(abi, decodeCall(abi, item)));

function decodeCall(abi: Abi, data: Hex): DecodedCall | null {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    return { functionName, args };
  } catch {
    return null;
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
