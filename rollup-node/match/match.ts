import { bytesToHex, encodeFunctionData, parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex, TransactionReceipt } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { findLie } from '../../fraud-proof/dispute/random-fault.ts';
import { arityOf, nextAction, openingMove } from '../../fraud-proof/dispute/player.ts';
import type { Action, ClaimedSplit, GameView, PlayOptions, Role, SplitClaims } from '../../fraud-proof/dispute/player.ts';
import { calldataArity, segmentAt } from '../../fraud-proof/dispute/split.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { DevelopmentWallet } from '../chain/development-wallets.ts';
import { proveEntry } from '../chain/entries.ts';
import { checkByReplay } from '../disputes/replayed.ts';
import { actionTransaction, gameTerms, splitArgument } from '../disputes/turn.ts';
import type { TermsOfGame } from '../disputes/turn.ts';
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
  readonly onMove?: (move: PlayedMove) => void;
}

export interface PlayedMove {
  readonly kind: Action['kind'] | 'assert' | 'challenge';
  readonly by: Role;
  /** Receipt gas. */
  readonly gas: bigint;
  /** Bytes of calldata. */
  readonly bytes: number;
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
  const play = async (kind: PlayedMove['kind'], by: Role, transaction: { readonly to: Address; readonly data: Hex; readonly value?: bigint }): Promise<TransactionReceipt> => {
    await checkByReplay({ intent: kind, ...transaction }, wallets[by].account.address, arena.client, await head(arena));
    const receipt = await arena.send(wallets[by], transaction);
    const move = { kind, by, gas: receipt.gasUsed, bytes: (transaction.data.length - 2) / 2 };
    moves.push(move);
    options.onMove?.(move);
    return receipt;
  };

  const requestId = await arena.request(honest.model, options.contract, requestElements(prepared.model, input));
  const contracts = { assertions: arena.deployment.resultAssertions, game: arena.deployment.dissectionGame };
  const arity = calldataArity(Number(await arena.client.readContract({ address: contracts.game, abi: dissectionGameAbi, functionName: 'ARITY' })));
  const playOptions: PlayOptions = { arity };
  const outputCommitment = bytesToHex(commitTensor(sources.asserter.output));
  const assertionId = await assertOutput(arena, requestId, outputCommitment, play);
  const started = performance.now();
  const { gameId, terms, split: first } = await challenge(arena, { assertionId, requestId, outputCommitment }, sources.challenger, playOptions, play);
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', split: first };
  for (;;) {
    const by = view.turn;
    const action = await nextAction(view, by, sources[by], playOptions);
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
    view = { status: 'awaiting-move', turn: by === 'asserter' ? 'challenger' : 'asserter', split: splitAfter(view.split, action, playOptions) };
  }
}

async function head({ client }: Arena): Promise<{ readonly number: bigint; readonly hash: Hex; readonly timestamp: bigint }> {
  const { number, hash, timestamp } = await client.getBlock();
  return { number, hash, timestamp };
}

type Play = (kind: 'assert' | 'challenge', by: Role, transaction: { to: Address; data: Hex; value: bigint }) => Promise<TransactionReceipt>;

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
  const { logs } = await play('challenge', 'challenger', { to: contract.address, value, data });
  const [opened] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs });
  if (opened === undefined) throw new Error('no game was opened');
  const { gameId, terms } = opened.args;
  return {
    gameId,
    terms: { ...terms, allowance: BigInt(terms.allowance) },
    split: { start: 0n, length: terms.steps, states: statesOf(terms.initialState, split), carrier: 'calldata' },
  };
}

const statesOf = (first: Hex, { inner, end }: SplitClaims): Hex[] => [first, ...inner, end];

/** What both sides see after a move. */
function splitAfter(split: ClaimedSplit, { pick, split: own }: Exclude<Action, { kind: 'prove' }>, options: PlayOptions): ClaimedSplit {
  return { ...segmentAt(split, Number(pick.segment), arityOf(split.carrier, options)), states: statesOf(pick.start, own), carrier: 'calldata' };
}
