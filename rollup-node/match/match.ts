import { bytesToHex, encodeFunctionData, parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex, TransactionReceipt } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { statesOfBlob } from '../../fraud-proof/dispute/blob-claims.ts';
import { findLie } from '../../fraud-proof/dispute/random-fault.ts';
import { arityOf, nextAction, openingMove } from '../../fraud-proof/dispute/player.ts';
import type { Action, Carrier, ClaimedSplit, GameView, PlayOptions, Role, SplitClaims } from '../../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, calldataArity, segmentAt, segmentCount } from '../../fraud-proof/dispute/split.ts';
import type { Arity, Segment } from '../../fraud-proof/dispute/split.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { DevelopmentWallet } from '../chain/development-wallets.ts';
import { proveEntry } from '../chain/entries.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import { checkByReplay } from '../disputes/replayed.ts';
import { actionTransaction, blobsOf, gameTerms, splitArgument } from '../disputes/turn.ts';
import type { TermsOfGame } from '../disputes/turn.ts';
import { kzg } from '../kzg.ts';
import { requestElements } from '../model-values.ts';
import type { Arena } from './arena.ts';

export interface MatchOptions {
  readonly prepared: PreparedModel;
  /** The model's contract. */
  readonly contract: Address;
  /** The input's padded words. */
  readonly input: Uint8Array;
  readonly liar: Role;
  /** Where the lie sits; a random place that `seed` chooses when absent. */
  readonly fault?: Fault;
  readonly seed: bigint;
  /** Slots of the honest run that a random lie may strike; all of them when absent. */
  readonly strike?: (honest: Trace) => readonly number[];
  /** What claims travel in, of both sides or of each; calldata when absent. */
  readonly claims?: Carrier | Readonly<Record<Role, Carrier>>;
  readonly onMove?: (move: PlayedMove) => void;
}

export interface PlayedMove {
  readonly kind: Action['kind'] | 'assert' | 'challenge';
  readonly by: Role;
  /** Receipt gas. */
  readonly gas: bigint;
  /** Bytes of calldata. */
  readonly bytes: number;
  /** How many blobs went with it. */
  readonly blobs: number;
  /** Seconds from knowing that it is one's turn to the transaction, replayed and ready to be sent. */
  readonly seconds: number;
}

export interface MatchResult {
  readonly winner: Role;
  readonly honest: Role;
  readonly steps: bigint;
  /** Splits until single steps were left, the challenger's first included. */
  readonly levels: number;
  readonly moves: readonly PlayedMove[];
  /** That the honest side took to run the inference again and to commit to its inside, before the first move. */
  readonly openSeconds: number;
  /** From the challenge to the end. */
  readonly seconds: number;
  /** The step that was proven, in the honest side's run. */
  readonly step: bigint;
  readonly fault: Fault;
  readonly trace: Trace;
}

/**
 * Plays one whole dispute: a request, an assertion, a challenge, and both sides' moves, each replayed in a local EVM before it is
 * sent. One side is honest; the other has a fault in its run and defends it.
 * @throws Error when a move fails, or the game does not end in a proof
 */
export async function playMatch(arena: Arena, options: MatchOptions): Promise<MatchResult> {
  const { prepared, input, liar, seed } = options;
  const opened = performance.now();
  const honest = await openTrace({ prepared, input });
  const openSeconds = (performance.now() - opened) / 1_000;
  const { trace: lying, fault } = options.fault === undefined
    ? await findLie(honest, { prepared, input }, { seed, ...(options.strike === undefined ? {} : { slots: options.strike(honest) }) })
    : { trace: await openTrace({ prepared, input, fault: options.fault, honest }), fault: options.fault };
  const sources: Record<Role, Trace> = { asserter: liar === 'asserter' ? lying : honest, challenger: liar === 'challenger' ? lying : honest };
  const wallets: Record<Role, DevelopmentWallet> = { asserter: arena.wallet(1), challenger: arena.wallet(2) };
  const moves: PlayedMove[] = [];
  let turnBegan = performance.now();
  const play: Play = async (kind, by, transaction) => {
    await checkByReplay({ intent: kind, ...transaction }, wallets[by].account.address, arena.client, await head(arena));
    const ready = performance.now();
    const receipt = await arena.send(wallets[by], transaction);
    const move = { kind, by, gas: receipt.gasUsed, bytes: (transaction.data.length - 2) / 2, blobs: transaction.blobs?.length ?? 0, seconds: (ready - turnBegan) / 1_000 };
    turnBegan = performance.now();
    moves.push(move);
    options.onMove?.(move);
    return receipt;
  };

  const requestId = await arena.request(honest.model, options.contract, requestElements(prepared.model, input));
  const contracts = { assertions: arena.deployment.resultAssertions, game: arena.deployment.dissectionGame };
  const arity = calldataArity(Number(await arena.client.readContract({ address: contracts.game, abi: dissectionGameAbi, functionName: 'ARITY' })));
  const { claims = 'calldata' } = options;
  const playOptions = (role: Role): PlayOptions => ({ arity, kzg, carrier: typeof claims === 'string' ? claims : claims[role] });
  const outputCommitment = bytesToHex(commitTensor(sources.asserter.output));
  const assertionId = await assertOutput(arena, requestId, outputCommitment, play);
  const started = performance.now();
  turnBegan = started;
  const { gameId, terms, split: first } = await challenge(arena, { assertionId, requestId, outputCommitment }, sources.challenger, playOptions('challenger'), play);
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', split: first };
  for (;;) {
    const by = view.turn;
    const action = await nextAction(view, by, sources[by], playOptions(by));
    if (action === null) throw new Error(`the ${by} has the turn but no move`);
    const receipt = await play(action.kind, by, actionTransaction(action, gameId, terms, contracts));
    if (action.kind === 'prove') {
      const [event] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Settled', logs: receipt.logs });
      if (event === undefined) throw new Error('a proof did not end the game');
      await arena.send(wallets[by], { to: contracts.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args: [assertionId, requestId, outputCommitment, gameTerms(terms, contracts)] }) });
      return {
        winner: event.args.asserterWon ? 'asserter' : 'challenger',
        honest: liar === 'asserter' ? 'challenger' : 'asserter',
        steps: honest.steps,
        levels: moves.filter(({ kind }) => kind === 'challenge' || kind === 'answer' || kind === 'move').length,
        moves,
        openSeconds,
        seconds: (performance.now() - started) / 1_000,
        step: action.step,
        fault,
        trace: honest,
      };
    }
    view = { status: 'awaiting-move', turn: by === 'asserter' ? 'challenger' : 'asserter', split: splitAfter(view.split, action, arity) };
  }
}

async function head({ client }: Arena): Promise<{ readonly number: bigint; readonly hash: Hex; readonly timestamp: bigint }> {
  const { number, hash, timestamp } = await client.getBlock();
  return { number, hash, timestamp };
}

type Play = (kind: PlayedMove['kind'], by: Role, transaction: Pick<TransactionIntent, 'to' | 'data' | 'value' | 'blobs'>) => Promise<TransactionReceipt>;

/** Asserts one result. */
async function assertOutput(arena: Arena, requestId: Hex, outputCommitment: Hex, play: Play): Promise<Hex> {
  const contract = { address: arena.deployment.resultAssertions, abi: resultAssertionsAbi } as const;
  const value = await arena.client.readContract({ ...contract, functionName: 'bond' });
  const data = encodeFunctionData({ abi: contract.abi, functionName: 'assertResults', args: [zeroHash, [requestId], [outputCommitment]] });
  const { logs } = await play('assert', 'asserter', { to: contract.address, value, data });
  const [assertion] = parseEventLogs({ abi: contract.abi, eventName: 'Asserted', logs });
  if (assertion === undefined) throw new Error('no assertion was recorded');
  return assertion.args.assertionId;
}

interface OpenedGame {
  readonly gameId: Hex;
  readonly terms: TermsOfGame;
  readonly split: ClaimedSplit;
}

/** Challenges the only entry of an assertion, with the challenger's own states. */
async function challenge(
  arena: Arena,
  { assertionId, requestId, outputCommitment }: { readonly assertionId: Hex; readonly requestId: Hex; readonly outputCommitment: Hex },
  source: Trace,
  options: PlayOptions,
  play: Play,
): Promise<OpenedGame> {
  const contract = { address: arena.deployment.resultAssertions, abi: resultAssertionsAbi } as const;
  const { challengerStake: value } = await arena.client.readContract({ ...contract, functionName: 'terms', args: [requestId] });
  const { opening, split } = await openingMove(source.steps, source, options);
  const entry = proveEntry({ requestIds: [requestId], outputCommitments: [outputCommitment] }, 0);
  const data = encodeFunctionData({ abi: contract.abi, functionName: 'challenge', args: [assertionId, entry, opening, splitArgument(split)] });
  const { logs } = await play('challenge', 'challenger', { to: contract.address, value, data, ...blobsOf(split) });
  const [opened] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs });
  if (opened === undefined) throw new Error('no game was opened');
  const { gameId, terms } = opened.args;
  return {
    gameId,
    terms: { ...terms, allowance: BigInt(terms.allowance) },
    split: claimed({ start: 0n, length: terms.steps }, terms.initialState, split),
  };
}

/** A split as the other side reads it. */
function claimed(segment: Segment, first: Hex, { inner, end, blob }: SplitClaims): ClaimedSplit {
  if (blob === undefined) return { ...segment, states: [first, ...inner, end], carrier: 'calldata' };
  return { ...segment, states: statesOfBlob(first, blob, end, segmentCount(segment.length, BLOB_ARITY)), carrier: 'blob', blob };
}

/** What both sides see after a move. */
const splitAfter = (split: ClaimedSplit, { pick, split: own }: Exclude<Action, { kind: 'prove' }>, arity: Arity): ClaimedSplit =>
  claimed(segmentAt(split, Number(pick.segment), arityOf(split.carrier, { arity })), pick.start, own);
