/**
 * What a dispute costs: levels, transactions, gas by move, calldata and seconds, of whole disputes on anvil about lande and the MNIST CNN, both liars in turn,
 * random faults; medians over the games of a model: `npx tsx bench/disputes.ts [--games n] [--seed n] [--json]`.
 * Exit code 1 when the honest side loses, or a dispute about MNIST takes more than 6 levels, 700,000 gas (the challenge, all moves and the proof, which
 * decides; paying out by `settle` is shown beside it) or, as a median, 10 seconds.
 */
import { parseArgs } from 'node:util';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { openArena } from '../rollup-node/match/arena.ts';
import { playMatch } from '../rollup-node/match/match.ts';
import { landeContestant, mnistContestant } from '../test/disputes/contestants.ts';
import type { Contestant } from '../test/disputes/random-matches.ts';
import { modelFiles } from '../test/models/model-files.ts';
import { conclude, conditions, median, progress, rounded } from './measurement.ts';
import { transactionsSince } from './transaction-gas.ts';
import type { TransactionGas } from './transaction-gas.ts';

/** What the sequencer does whether or not anybody disagrees. */
const HAPPY_PATH = 'assertResults';
/** Pays out what was decided. */
const SETTLEMENT = 'settle';
const LIMITS = { levels: 6, gas: 700_000, seconds: 10 };

const { values } = parseArgs({ options: { games: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } } });

interface Game {
  readonly honestWon: boolean;
  readonly levels: number;
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
        const { winner, honest, levels, seconds, steps } = await playMatch(arena, {
          prepared, contract, input: input(seed + number), liar: number % 2 === 0 ? 'asserter' : 'challenger', seed: BigInt(seed) * 1_000_003n + BigInt(number),
        });
        const transactions = (await transactionsSince(arena.client, first)).filter(({ kind }) => kind !== HAPPY_PATH);
        games.push({ honestWon: winner === honest, levels, seconds, steps, transactions });
        reached(played.size * count + number + 1);
      }
      played.set(name, games);
    }
  } finally {
    await arena.close();
  }
  return played;
}

const started = conditions();
const folder = modelFiles();
if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
const played = await play([mnistContestant(folder), await landeContestant()], Number(values.games), Number(values.seed));

const summary = [...played].map(([model, games]) => [model, {
  games: games.length,
  steps: Number(games[0]?.steps),
  levels: Math.max(...games.map(({ levels }) => levels)),
  transactions: median(games.map(({ transactions }) => transactions.length)),
  gas: spread(games.map(gasOf)),
  settlementGas: spread(games.map(settlementOf)),
  gasWithSettlement: spread(games.map((game) => gasOf(game) + settlementOf(game))),
  calldataBytes: median(games.map(({ transactions }) => total(transactions, ({ bytes }) => bytes))),
  seconds: spread(games.map(({ seconds }) => Math.round(1_000 * seconds) / 1_000)),
  transactionsByKind: byKind(games),
}] as const);
const mnist = played.get('mnist') ?? [];
conclude(
  { ...started, ...Object.fromEntries(summary) },
  {
    'the honest side wins every dispute': [...played.values()].flat().every(({ honestWon }) => honestWon),
    [`a dispute about MNIST takes at most ${LIMITS.levels} levels`]: mnist.every(({ levels }) => levels <= LIMITS.levels),
    [`a dispute about MNIST costs at most ${LIMITS.gas} gas`]: mnist.every((game) => gasOf(game) <= LIMITS.gas),
    [`a dispute about MNIST takes at most ${LIMITS.seconds} seconds`]: median(mnist.map(({ seconds }) => seconds)) <= LIMITS.seconds,
  },
  values.json,
);
