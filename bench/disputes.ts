/**
 * What a dispute costs: levels, transactions, gas by move, calldata, seconds and memory, of whole disputes on anvil about real models, both liars in turn,
 * random faults; medians over the games of a model: `npx tsx bench/disputes.ts [--models mnist,lande,resnet8,stories,stories-sampled,storyteller] [--games n] [--seed n] [--json]`.
 * `openSeconds` is what the honest side takes to run the inference again and to commit to its inside, `seconds` is from the challenge to the proof; memory is of one side alone in a process.
 * Exit code 1 when the honest side loses, or a dispute takes more than its limits: levels, gas (the challenge, all moves and the proof, which
 * decides; `settle`, which takes note of it and pays the bounty, is shown beside it) or, as a median, seconds of both together. MNIST's are 5, 500,000 and 10; those of 256 tokens of
 * stories260K are 8, 850,000 and 30. (Any program of 2^40 steps: `bench:levels`, 850,000 gas and 13 transactions with calldata, 8 with blobs.)
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { openArena } from '../rollup-node/match/arena.ts';
import { playMatch } from '../rollup-node/match/match.ts';
import { contestantNamed } from '../test/disputes/contestants.ts';
import type { Contestant } from '../test/disputes/random-matches.ts';
import { conclude, conditions, median, progress, rounded } from './measurement.ts';
import { transactionsSince } from './transaction-gas.ts';
import type { TransactionGas } from './transaction-gas.ts';

/** What the sequencer does whether or not anybody disagrees. */
const HAPPY_PATH = 'assertResults';
/** Takes note of what was decided. */
const SETTLEMENT = 'settle';
const STORIES = { levels: 8, gas: 850_000, seconds: 30 };
const LIMITS: Readonly<Record<string, typeof STORIES>> = { mnist: { levels: 5, gas: 500_000, seconds: 10 }, stories: STORIES, 'stories-sampled': STORIES };
const DEFAULT_MODELS = 'mnist,lande,resnet8,stories,stories-sampled,storyteller';

const { values } = parseArgs({ options: { models: { type: 'string', default: DEFAULT_MODELS }, games: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } } });

interface Game {
  readonly honestWon: boolean;
  readonly levels: number;
  readonly openSeconds: number;
  readonly seconds: number;
  readonly steps: bigint;
  readonly transactions: readonly TransactionGas[];
}

const total = (transactions: readonly TransactionGas[], part: (transaction: TransactionGas) => number): number =>
  transactions.reduce((sum, transaction) => sum + part(transaction), 0);
const spread = (numbers: readonly number[]): object => ({ median: rounded(median(numbers), 6), greatest: rounded(Math.max(...numbers), 6) });
/** Gas until the proof decides. */
const gasOf = ({ transactions }: Game): number => total(transactions.filter(({ kind }) => kind !== SETTLEMENT), ({ gas }) => gas);
const settlementOf = ({ transactions }: Game): number => total(transactions.filter(({ kind }) => kind === SETTLEMENT), ({ gas }) => gas);

/** Medians of the transactions of one kind, and how many of them a game has. */
function byKind(games: readonly Game[]): Record<string, object> {
  const all = games.flatMap(({ transactions }) => transactions);
  return Object.fromEntries([...new Set(all.map(({ kind }) => kind))].map((kind) => {
    const group = all.filter((transaction) => transaction.kind === kind);
    const middle = (part: (transaction: TransactionGas) => number): number => median(group.map(part));
    return [kind, {
      eachGame: group.length / games.length,
      gas: middle(({ gas }) => gas), bytes: middle(({ bytes }) => bytes), calldata: middle(({ calldata }) => calldata),
      floor: middle(({ floor }) => floor), execution: middle(({ execution }) => execution),
      atFloor: group.filter(({ gas, floor }) => gas === floor).length / group.length,
    }];
  }));
}

async function play(contestants: readonly Contestant[], count: number, seed: number): Promise<Map<string, Game[]>> {
  const executor = createWasmExecutor();
  const arena = await openArena();
  const played = new Map<string, Game[]>();
  const reached = progress('games', count * contestants.length);
  try {
    for (const { name, model, input } of contestants) {
      const [prepared, contract] = [await executor.prepare(model), await arena.register(encodeModel(model))];
      const games: Game[] = [];
      for (let number = 0; number < count; number += 1) {
        const first = (await arena.client.getBlockNumber({ cacheTime: 0 })) + 1n;
        const { winner, honest, levels, openSeconds, seconds, steps } = await playMatch(arena, {
          prepared, contract, input: input(seed + number), liar: number % 2 === 0 ? 'asserter' : 'challenger', seed: BigInt(seed) * 1_000_003n + BigInt(number),
        });
        const transactions = (await transactionsSince(arena.client, first)).filter(({ kind }) => kind !== HAPPY_PATH);
        games.push({ honestWon: winner === honest, levels, openSeconds, seconds, steps, transactions });
        reached(played.size * count + number + 1);
      }
      played.set(name, games);
    }
  } finally {
    await arena.close();
  }
  return played;
}

/** Seconds and memory of one side, which has a process to itself. */
function measureSide(model: string): object {
  const root = new URL('..', import.meta.url);
  return JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', 'bench/dispute-side.ts', model], { encoding: 'utf8', cwd: root })) as object;
}

const started = conditions();
const names = values.models.split(',');
const played = await play(await Promise.all(names.map(contestantNamed)), Number(values.games), Number(values.seed));

const inMilliseconds = (seconds: number): number => Math.round(1_000 * seconds) / 1_000;
const summary = [...played].map(([model, games]) => [model, {
  games: games.length,
  steps: Number(games[0]?.steps),
  levels: Math.max(...games.map(({ levels }) => levels)),
  transactions: median(games.map(({ transactions }) => transactions.length)),
  gas: spread(games.map(gasOf)),
  settlementGas: spread(games.map(settlementOf)),
  gasWithSettlement: spread(games.map((game) => gasOf(game) + settlementOf(game))),
  calldataBytes: median(games.map(({ transactions }) => total(transactions, ({ bytes }) => bytes))),
  openSeconds: spread(games.map(({ openSeconds }) => inMilliseconds(openSeconds))),
  seconds: spread(games.map(({ seconds }) => inMilliseconds(seconds))),
  oneSide: measureSide(model),
  transactionsByKind: byKind(games),
}] as const);
const claims = [...played].flatMap(([model, games]) => {
  const limits = LIMITS[model];
  return limits === undefined ? [] : [
    [`a dispute about ${model} takes at most ${limits.levels} levels`, games.every(({ levels }) => levels <= limits.levels)],
    [`a dispute about ${model} costs at most ${limits.gas} gas`, games.every((game) => gasOf(game) <= limits.gas)],
    [`a dispute about ${model} takes at most ${limits.seconds} seconds`, median(games.map(({ openSeconds, seconds }) => openSeconds + seconds)) <= limits.seconds],
  ] as const;
});
conclude(
  { ...started, ...Object.fromEntries(summary) },
  { 'the honest side wins every dispute': [...played.values()].flat().every(({ honestWon }) => honestWon), ...Object.fromEntries(claims) },
  values.json,
);
