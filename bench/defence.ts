/**
 * How many disputes one machine serves within a clock: `npx tsx bench/defence.ts [--models mnist,lande,storyteller,stories] [--games 1,10,100] [--seed n] [--json]`.
 * So many challengers attack the same right result at once, each with its own game, on a chain in this process; the asserter answers them all, turn by turn, one transaction
 * for each turn and then, in games anew, in batches as a node makes them. Seconds are processor seconds of the defender alone: running the inference again and committing to it, once
 * for all games (`open`); naming states, choosing and proving (`play`); and executing every turn in a local EVM before it is sent (`replay`; here the chain's own execution of turns sent one by one).
 * `gamesWithinADay` is what a clock of one day serves: with one inference for all games, and with another inference for each.
 */
import { bytesToHex, decodeAbiParameters, encodeFunctionData, parseEventLogs, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { parseArgs } from 'node:util';
import { dissectionGameAbi, resultAssertionsAbi } from '../contracts/abi/generated.ts';
import { DEVNET_PARAMETERS } from '../contracts/deploy.ts';
import { commitTensor } from '../deterministic-runtime/commitment/tree.ts';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { nextAction, openingMove } from '../fraud-proof/dispute/player.ts';
import type { ClaimedSplit, PlayOptions, Role } from '../fraud-proof/dispute/player.ts';
import { findLie } from '../fraud-proof/dispute/random-fault.ts';
import { calldataArity, segmentAt, splitBounds } from '../fraud-proof/dispute/split.ts';
import type { Segment } from '../fraud-proof/dispute/split.ts';
import { openTrace } from '../fraud-proof/trace/trace.ts';
import type { Trace } from '../fraud-proof/trace/trace.ts';
import { proveEntry } from '../rollup-node/chain/entries.ts';
import type { TransactionIntent } from '../rollup-node/chain/sender.ts';
import { batchOf, groupsWithin } from '../rollup-node/disputes/batch.ts';
import { actionTransaction, gameTerms, splitArgument } from '../rollup-node/disputes/turn.ts';
import type { TermsOfGame } from '../rollup-node/disputes/turn.ts';
import { kzg } from '../rollup-node/kzg.ts';
import { requestElements } from '../rollup-node/model-values.ts';
import { contestantNamed } from '../test/disputes/contestants.ts';
import { openLocalRollup } from '../test/disputes/local-rollup.ts';
import type { LocalRollup } from '../test/disputes/local-rollup.ts';
import { conclude, conditions, progress, rounded } from './measurement.ts';

const { values } = parseArgs({ options: {
  models: { type: 'string', default: 'mnist,lande,storyteller,stories' }, games: { type: 'string', default: '1,10,100' }, seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false },
} });

const DAY = 86_400;
/** Different lies among the challengers: looking for more would take longer than all games. */
const LIES = 4;
const DEFENDER = 2;
const FIRST_CHALLENGER = 10;
const ARITY = calldataArity(2 ** Number(DEVNET_PARAMETERS.claimsDepth));
const OPTIONS: PlayOptions = { arity: ARITY, carrier: 'calldata', kzg };

/** Processor seconds that work takes. */
async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

interface Game {
  readonly gameId: Hex;
  readonly terms: TermsOfGame;
  readonly challenger: Address;
  readonly lie: Trace;
  split: ClaimedSplit;
  status: 'awaiting-answer' | 'awaiting-move';
  turn: Role;
  wonBy: Role | undefined;
}

interface Defence {
  readonly won: boolean;
  readonly transactions: number;
  readonly gas: bigint;
  readonly turns: number;
  readonly playSeconds: number;
  /** Of sending, which executes everything. */
  readonly executionSeconds: number;
}

interface Attacked {
  readonly rollup: LocalRollup;
  readonly contracts: { readonly assertions: Address; readonly game: Address };
  readonly asserter: Address;
  readonly settlement: (game: Game) => TransactionIntent;
  readonly games: Game[];
}

const claimed = (segment: Segment, first: Hex, { inner, end }: { readonly inner: readonly Hex[]; readonly end: Hex }): ClaimedSplit => ({ ...segment, states: [first, ...inner, end], carrier: 'calldata' });

/** A chain on which so many challengers have attacked one right result. */
async function attack(honest: Trace, input: Uint8Array, lies: readonly Trace[], count: number): Promise<Attacked> {
  const rollup = await openLocalRollup(DEVNET_PARAMETERS);
  const { assertions, game } = rollup;
  const contracts = { assertions, game };
  const asserter = await rollup.account(DEFENDER);
  const contract = await rollup.register(honest.model);
  const requestId = await rollup.request(await rollup.account(1), honest.model, contract, requestElements(honest.model.model, input));
  const outputCommitment = bytesToHex(commitTensor(honest.output));
  const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'assertResults', args: [zeroHash, [requestId], [outputCommitment]] });
  const asserted = await rollup.send({ from: asserter, to: assertions, value: DEVNET_PARAMETERS.bond, data });
  const assertionId = parseEventLogs({ abi: resultAssertionsAbi, eventName: 'Asserted', logs: asserted.logs as never })[0]!.args.assertionId;
  const { returned } = await rollup.chain.send({ from: asserter, to: assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'terms', args: [requestId] }) });
  const outputs = resultAssertionsAbi.find((entry) => entry.type === 'function' && entry.name === 'terms')!.outputs;
  const stake = (decodeAbiParameters(outputs, returned) as unknown as [{ challengerStake: bigint }])[0].challengerStake;
  const entry = proveEntry({ requestIds: [requestId], outputCommitments: [outputCommitment] }, 0);
  const openings = await Promise.all(lies.map(async (lie) => ({ lie, ...(await openingMove(lie.steps, lie, OPTIONS)) })));
  const games: Game[] = [];
  for (let number = 0; number < count; number += 1) {
    const challenger = await rollup.account(FIRST_CHALLENGER + number);
    const { lie, opening, split } = openings[number % openings.length]!;
    const opened = await rollup.send({ from: challenger, to: assertions, value: stake, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'challenge', args: [assertionId, entry, opening, splitArgument(split)] }) });
    const { gameId, terms } = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs: opened.logs as never })[0]!.args;
    games.push({
      gameId, challenger, lie, terms: { ...terms, allowance: BigInt(terms.allowance) }, split: claimed({ start: 0n, length: terms.steps }, terms.initialState, split),
      status: 'awaiting-answer', turn: 'asserter', wonBy: undefined,
    });
  }
  const settlement = ({ gameId, terms }: Game): TransactionIntent => ({
    intent: `settle:${gameId}`, to: assertions,
    data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args: [assertionId, requestId, outputCommitment, gameTerms(terms, contracts)] }),
  });
  return { rollup, contracts, asserter, settlement, games };
}

/** The defender's turns and settlements of all games, round after round; challengers move in between. */
async function defend({ rollup, contracts, asserter, settlement, games }: Attacked, honest: Trace, batched: boolean): Promise<Defence> {
  let [transactions, gas, turns, playSeconds, executionSeconds] = [0, 0n, 0, 0, 0];
  const winners = (logs: readonly unknown[]): void => {
    for (const { args } of parseEventLogs({ abi: dissectionGameAbi, eventName: 'Settled', logs: logs as never })) {
      const game = games.find(({ gameId }) => gameId === args.gameId);
      if (game !== undefined) game.wonBy = args.asserterWon ? 'asserter' : 'challenger';
    }
  };
  const sendAll = async (intents: readonly TransactionIntent[]): Promise<void> => {
    // A batch is with value or without. A node takes the gas of each item from its replay; here the greatest of such a turn.
    const groups = [true, false].flatMap((paid) => groupsWithin(intents.filter(({ value = 0n }) => (value > 0n) === paid).map((transaction) => ({ transaction, gas: 120_000n }))));
    const sent = batched ? groups.map((group) => (group.length === 1 ? group[0]!.transaction : batchOf(group.map(({ transaction }) => transaction), 0n))) : intents;
    for (const { to, data, value = 0n } of sent) {
      const { result, seconds } = await timed(() => rollup.send({ from: asserter, to, data, value }));
      if (parseEventLogs({ abi: dissectionGameAbi, eventName: 'BatchItemFailed', logs: result.logs as never }).length > 0) throw new Error('an item of a batch failed');
      winners(result.logs);
      transactions += 1;
      gas += result.gas;
      executionSeconds += seconds;
    }
  };
  for (let running = games; running.length > 0; running = games.filter(({ wonBy }) => wonBy === undefined)) {
    const due: TransactionIntent[] = [];
    for (const game of running) {
      const own = game.turn === 'asserter';
      const { result: action, seconds } = await timed(() => nextAction(game, game.turn, own ? honest : game.lie, OPTIONS));
      if (own) playSeconds += seconds;
      if (own) turns += 1;
      if (action === null) throw new Error('a side has the turn but no move');
      const transaction = actionTransaction(action, game.gameId, game.terms, contracts);
      if (own) due.push(transaction);
      else {
        const { success, logs } = await rollup.chain.send({ from: game.challenger, to: transaction.to, data: transaction.data });
        winners(logs);
        if (!success) throw new Error(`a challenger's ${action.kind} failed`);
      }
      if (action.kind === 'prove') continue;
      game.split = claimed(segmentAt(game.split, Number(action.pick.segment), ARITY), action.pick.start, action.split);
      game.turn = own ? 'challenger' : 'asserter';
      game.status = 'awaiting-move';
    }
    await sendAll(due);
  }
  await sendAll(games.map(settlement));
  return { won: games.every(({ wonBy }) => wonBy === 'asserter'), transactions, gas, turns, playSeconds, executionSeconds };
}

/** States named a second, in splits of segments of any size at places all over the run. */
async function statesASecond(trace: Trace): Promise<number> {
  const splits = 60;
  let states = 0;
  const { seconds } = await timed(async () => {
    for (let split = 0; split < splits; split += 1) {
      const length = trace.steps / 16n ** BigInt(split % 4);
      const start = ((trace.steps - length) * BigInt((split * 37) % splits)) / BigInt(splits);
      const found = await trace.stateAt(splitBounds({ start, length }, ARITY));
      states += found.length;
    }
  });
  return states / seconds;
}

const started = conditions();
const counts = values.games.split(',').map(Number);
const results: Record<string, unknown> = {};
let won = true;
const names = values.models.split(',');
const reached = progress('models', names.length);
for (const name of names) {
  const { model, input: inputOf } = await contestantNamed(name);
  const input = inputOf(Number(values.seed));
  const prepared = await createLiftedExecutor().prepare(model);
  encodeModel(model);
  await prepared.run(input);
  const { result: honest, seconds: openSeconds } = await timed(() => openTrace({ prepared, input }));
  const speed = await statesASecond(honest);
  const lies: Trace[] = [];
  for (let number = 0; number < LIES; number += 1) lies.push((await findLie(honest, { prepared, input }, { seed: BigInt(values.seed) * 1_000_003n + BigInt(number) })).trace);
  const table: Record<string, unknown> = {};
  for (const count of counts) {
    const single = await defend(await attack(honest, input, lies, count), honest, false);
    const together = await defend(await attack(honest, input, lies, count), honest, true);
    won &&= single.won && together.won;
    const eachGame = (single.playSeconds + single.executionSeconds) / count;
    table[`${count} games`] = {
      turnsAGame: rounded(single.turns / count), playSecondsAGame: rounded(single.playSeconds / count), replaySecondsAGame: rounded(single.executionSeconds / count),
      processorSecondsAGame: rounded(openSeconds / count + eachGame),
      singly: { transactionsAGame: rounded(single.transactions / count), gasAGame: Math.round(Number(single.gas) / count) },
      batched: { transactionsAGame: rounded(together.transactions / count), gasAGame: Math.round(Number(together.gas) / count) },
      gamesWithinADay: { oneInference: rounded((DAY - openSeconds) / eachGame, 2), anInferenceEach: rounded(DAY / (openSeconds + eachGame), 2) },
    };
  }
  results[name] = { steps: Number(honest.steps), openSeconds: rounded(openSeconds), statesASecond: rounded(speed), ...table };
  reached(Object.keys(results).length);
}
conclude({ ...started, ...results }, { 'the defender wins every game': won }, values.json);
