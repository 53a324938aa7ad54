import { bytesToHex, encodeFunctionData, parseEventLogs } from 'viem';
import type { Address, Hex, TransactionReceipt } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { findLie } from '../../fraud-proof/dispute/random-fault.ts';
import { nextAction } from '../../fraud-proof/dispute/player.ts';
import type { Action, GameView, Role } from '../../fraud-proof/dispute/player.ts';
import { segmentAt } from '../../fraud-proof/dispute/split.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { DevelopmentWallet } from '../chain/development-wallets.ts';
import { proveEntry } from '../chain/entries.ts';
import { checkByReplay } from '../disputes/replayed.ts';
import { actionTransaction } from '../disputes/turn.ts';
import type { DisputedEntry } from '../disputes/turn.ts';
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
  /** Splits until single steps were left, the answer included. */
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
    ? await findLie(honest, { prepared, input }, { seed, inResult: liar === 'asserter', ...(options.strike === undefined ? {} : { slots: options.strike(honest) }) })
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
  const { dispute, initialState, started } = await openDispute(arena, requestId, bytesToHex(commitTensor(sources.asserter.output)), play);
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', steps: honest.steps, split: null };
  const contracts = { assertions: arena.deployment.resultAssertions, game: arena.deployment.dissectionGame };
  for (;;) {
    const by = view.turn;
    const action = await nextAction(view, by, sources[by]);
    if (action === null) throw new Error(`the ${by} has the turn but no move`);
    const receipt = await play(action.kind, by, actionTransaction(action, dispute, contracts));
    if (action.kind === 'prove') {
      const [event] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Settled', logs: receipt.logs });
      if (event === undefined) throw new Error('a proof did not end the game');
      await arena.send(wallets[by], { to: contracts.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args: [dispute.gameId] }) });
      return {
        winner: event.args.asserterWon ? 'asserter' : 'challenger',
        honest: liar === 'asserter' ? 'challenger' : 'asserter',
        steps: honest.steps,
        levels: moves.filter(({ kind }) => kind === 'answer' || kind === 'move').length,
        moves,
        openSeconds,
        seconds: (performance.now() - started) / 1_000,
        step: action.step,
        fault,
        trace: honest,
      };
    }
    view = afterMove(view, action, initialState);
  }
}

async function head({ client }: Arena): Promise<{ readonly number: bigint; readonly hash: Hex; readonly timestamp: bigint }> {
  const { number, hash, timestamp } = await client.getBlock();
  return { number, hash, timestamp };
}

/** Asserts one result, and challenges it. */
async function openDispute(
  arena: Arena,
  requestId: Hex,
  outputCommitment: Hex,
  play: (kind: 'assert' | 'challenge', by: Role, transaction: { to: Address; data: Hex; value: bigint }) => Promise<TransactionReceipt>,
): Promise<{ readonly dispute: DisputedEntry; readonly initialState: Hex; readonly started: number }> {
  const contract = { address: arena.deployment.resultAssertions, abi: resultAssertionsAbi } as const;
  const [bond, { asserterStake, challengerStake }] = await Promise.all([
    arena.client.readContract({ ...contract, functionName: 'bond' }),
    arena.client.readContract({ ...contract, functionName: 'terms', args: [requestId] }),
  ]);
  const to = contract.address;
  const asserted = await play('assert', 'asserter', {
    to,
    value: bond,
    data: encodeFunctionData({ abi: contract.abi, functionName: 'assertResults', args: [[requestId], [outputCommitment]] }),
  });
  const [assertion] = parseEventLogs({ abi: contract.abi, eventName: 'Asserted', logs: asserted.logs });
  if (assertion === undefined) throw new Error('no assertion was recorded');
  const entry = proveEntry({ requestIds: [requestId], outputCommitments: [outputCommitment] }, 0);
  const started = performance.now();
  const challenged = await play('challenge', 'challenger', {
    to,
    value: challengerStake,
    data: encodeFunctionData({ abi: contract.abi, functionName: 'challenge', args: [assertion.args.assertionId, entry.index, requestId, outputCommitment, [...entry.path]] }),
  });
  const [opened] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs: challenged.logs });
  if (opened === undefined) throw new Error('no game was opened');
  return { dispute: { gameId: opened.args.gameId, requestId, outputCommitment, asserterStake }, initialState: opened.args.initialState, started };
}

/** What both sides see after an answer or a move. */
function afterMove(view: GameView, action: Exclude<Action, { kind: 'prove' }>, initialState: Hex): GameView {
  const turn: Role = view.turn === 'asserter' ? 'challenger' : 'asserter';
  if (action.kind === 'answer') {
    return { ...view, status: 'awaiting-move', turn, split: { start: 0n, length: view.steps, states: [initialState, ...action.states, action.finalState] } };
  }
  if (view.split === null) throw new Error('a move answers a split');
  return { ...view, turn, split: { ...segmentAt(view.split, action.segment), states: [action.start, ...action.states] } };
}
