/**
 * What the arity of splits costs: the same disputes with 4 to 64 segments a split and claims in calldata, and with 4,096 and claims in blobs, side by side, on anvil:
 * `npm run bench:levels -- [--models mnist,lande,storyteller,stories] [--steps 30,40,48] [--depths 2,3,4,5,6] [--games n] [--seed n] [--markdown] [--json]`.
 * Real models are played whole, both liars in turn, with random faults; what is shown is medians. Programs of 2^`steps` steps have no content: their game and its moves are
 * real, `challenge` and `prove` are counted as the dearest of the real model with the most steps. Gas is from the challenge to the proof, which decides. Blob gas is priced at its least by EIP-7918, a
 * sixteenth of the gas's price (so that a blob costs as much as 8,192 gas), and, to compare, at the gas's own. `waiting` is on a chain with a block every 12 seconds, each transaction in the next one.
 * Exit code 1 when the honest side loses, levels are not what the formula says, or another arity in calldata costs less than nine tenths of 16.
 */
import { parseArgs } from 'node:util';
import { DEVNET_PARAMETERS } from '../contracts/deploy.ts';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import type { Carrier, Role } from '../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, calldataArity, levels as levelsOf } from '../fraud-proof/dispute/split.ts';
import { kzg } from '../rollup-node/kzg.ts';
import { openArena } from '../rollup-node/match/arena.ts';
import type { Arena } from '../rollup-node/match/arena.ts';
import { playMatch } from '../rollup-node/match/match.ts';
import type { PlayedMove } from '../rollup-node/match/match.ts';
import { contestantNamed } from '../test/disputes/contestants.ts';
import type { Contestant } from '../test/disputes/random-matches.ts';
import { conclude, conditions, median, progress, rounded } from './measurement.ts';
import { deploySyntheticGame, playSyntheticGame } from './synthetic-game.ts';

const BLOB_GAS = 131_072;
/** EIP-7918: blob gas costs at least this share of what gas costs. */
const LEAST_BLOB_PRICE = 1 / 16;
const SECONDS_PER_BLOCK = 12;
const USUAL_DEPTH = 4;
/** Where in a program without content the lie sits. */
const FAULT_SHARE = 0.618;
/** Limits for any program of at most 2^40 steps, as the rollup is deployed. */
const LARGE = { steps: 40, gas: 850_000, calldataTransactions: 13, blobTransactions: 8 };

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'mnist,lande,storyteller,stories' }, steps: { type: 'string', default: '30,40,48' }, depths: { type: 'string', default: '2,3,4,5,6' },
    games: { type: 'string', default: '2' }, seed: { type: 'string', default: '1' }, markdown: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
  },
});
const numbers = (list: string): number[] => (list === '' ? [] : list.split(',').map(Number));

interface Way {
  readonly name: string;
  readonly carrier: Carrier;
  readonly depth: number;
}

interface Game {
  readonly honestWon: boolean;
  readonly steps: bigint;
  readonly moves: readonly PlayedMove[];
  readonly openSeconds: number;
  readonly seconds: number;
}

const ways: readonly Way[] = [
  ...numbers(values.depths).map((depth): Way => ({ name: `${2 ** depth}-ary`, carrier: 'calldata', depth })),
  { name: '4096-ary, blobs', carrier: 'blob', depth: USUAL_DEPTH },
];
const sum = (moves: readonly PlayedMove[], part: (move: PlayedMove) => number): number => moves.reduce((total, move) => total + part(move), 0);
const isSplit = ({ kind }: PlayedMove): boolean => kind !== 'prove';

async function playModel(arena: Arena, { model, input }: Contestant, { carrier }: Way, games: number, seed: number): Promise<Game[]> {
  const [prepared, contract] = [await createWasmExecutor().prepare(model), await arena.register(encodeModel(model))];
  const played: Game[] = [];
  for (let number = 0; number < games; number += 1) {
    const { winner, honest, steps, moves, openSeconds, seconds } = await playMatch(arena, {
      prepared, contract, input: input(seed + number), liar: liarOf(number), claims: carrier, seed: BigInt(seed) * 1_000_003n + BigInt(number),
    });
    played.push({ honestWon: winner === honest, steps, moves: moves.filter(({ kind }) => kind !== 'assert'), openSeconds, seconds });
  }
  return played;
}

const liarOf = (number: number): Role => (number % 2 === 0 ? 'asserter' : 'challenger');

/** Challenge and proof of a program without content are those of a real one. */
function borrowed(moves: readonly PlayedMove[], real: readonly PlayedMove[]): PlayedMove[] {
  return moves.map((move) => {
    const like = real.filter(({ kind }) => kind === move.kind);
    return isSplit(move) && move.kind !== 'challenge' || like.length === 0 ? move : { ...move, gas: like.reduce((most, { gas }) => (gas > most ? gas : most), 0n), bytes: Math.max(...like.map(({ bytes }) => bytes)) };
  });
}

interface Row {
  readonly program: string;
  readonly way: string;
  readonly steps: number;
  readonly levels: number;
  readonly transactions: number;
  readonly gas: number;
  readonly gasByMove: Readonly<Record<string, number>>;
  readonly calldataBytes: number;
  readonly blobs: number;
  readonly blobGas: number;
  /** Gas, with blob gas at the least price and at the gas's. */
  readonly gasWithBlobs: number;
  readonly gasWithBlobsAtGasPrice: number;
  /** Of both sides, without waiting for blocks. */
  readonly openSeconds: number;
  readonly seconds: number;
  readonly waitingSeconds: number;
}

function rowOf(program: string, way: Way, games: readonly Game[]): Row {
  const middle = (part: (game: Game) => number): number => median(games.map(part));
  const gas = middle(({ moves }) => sum(moves, (move) => Number(move.gas)));
  const blobs = middle(({ moves }) => sum(moves, (move) => move.blobs));
  const kinds = [...new Set(games.flatMap(({ moves }) => moves.map(({ kind }) => kind)))];
  const transactions = middle(({ moves }) => moves.length);
  return {
    program, way: way.name, steps: Number(games[0]?.steps), transactions, gas, blobs,
    levels: Math.max(...games.map(({ moves }) => moves.filter(isSplit).length)),
    gasByMove: Object.fromEntries(kinds.map((kind) => [kind, median(games.flatMap(({ moves }) => moves.filter((move) => move.kind === kind).map((move) => Number(move.gas))))])),
    calldataBytes: middle(({ moves }) => sum(moves, ({ bytes }) => bytes)),
    blobGas: blobs * BLOB_GAS,
    gasWithBlobs: gas + blobs * BLOB_GAS * LEAST_BLOB_PRICE,
    gasWithBlobsAtGasPrice: gas + blobs * BLOB_GAS,
    openSeconds: rounded(middle(({ openSeconds }) => openSeconds)), seconds: rounded(middle(({ seconds }) => seconds)),
    waitingSeconds: transactions * SECONDS_PER_BLOCK,
  };
}

const count = (number: number): string => number.toLocaleString('en');
const tableLine = (row: Row): string => {
  const by = (kind: string): string => (row.gasByMove[kind] === undefined ? '–' : count(row.gasByMove[kind]));
  return `| ${row.program} | ${row.way} | ${row.levels} | ${row.transactions} | ${by('challenge')} | ${by('answer')} | ${by('move')} | ${by('prove')} | ${count(row.gas)} | ${count(row.calldataBytes)} | ${row.blobs} | ${count(row.gasWithBlobs)} | ${count(row.gasWithBlobsAtGasPrice)} | ${row.seconds} | ${row.waitingSeconds} |`;
};

const started = conditions();
// Its setting up is no part of a dispute.
kzg.blobToKzgCommitment(new Uint8Array(BLOB_GAS));
const contestants = await Promise.all(values.models.split(',').filter((name) => name !== '').map(contestantNamed));
const [games, seed, exponents] = [Number(values.games), Number(values.seed), numbers(values.steps)];
const reached = progress('programs and arities', ways.length * (contestants.length + exponents.length));
const rows: Row[] = [];
let honestWonAll = true;
let asTheFormula = true;
for (const way of ways) {
  const arena = await openArena({ ...DEVNET_PARAMETERS, claimsDepth: BigInt(way.depth) });
  const add = (program: string, played: readonly Game[]): void => {
    rows.push(rowOf(program, way, played));
    honestWonAll &&= played.every(({ honestWon }) => honestWon);
    const arity = way.carrier === 'blob' ? BLOB_ARITY : calldataArity(2 ** way.depth);
    asTheFormula &&= played.every(({ steps, moves }) => moves.filter(isSplit).length <= levelsOf(steps, arity));
    reached(rows.length);
  };
  try {
    let largest: readonly Game[] = [];
    for (const contestant of contestants) {
      const played = await playModel(arena, contestant, way, games, seed);
      if ((played[0]?.steps ?? 0n) > (largest[0]?.steps ?? 0n)) largest = played;
      add(contestant.name, played);
    }
    const game = await deploySyntheticGame(arena, BigInt(way.depth));
    for (const exponent of exponents) {
      const steps = 2n ** BigInt(exponent);
      const fault = BigInt(Math.floor(FAULT_SHARE * 2 ** exponent));
      const played: Game[] = [];
      for (let number = 0; number < games; number += 1) {
        const { honestWon, moves, seconds } = await playSyntheticGame(arena, game, { steps, fault: fault + BigInt(number), liar: liarOf(number), carrier: way.carrier, depth: BigInt(way.depth) });
        played.push({ honestWon, steps, moves: borrowed(moves, largest.flatMap(({ moves: real }) => real)), openSeconds: 0, seconds });
      }
      add(`2^${exponent} steps`, played);
    }
  } finally {
    await arena.close();
  }
}

if (values.markdown) {
  console.log('| program | splits | levels | transactions | challenge | answer | a move | proof | gas | bytes | blobs | gas, blobs at 1/16 | blobs at the gas\'s price | seconds | waiting, s |');
  console.log('|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|');
  for (const row of [...rows].sort((a, b) => a.steps - b.steps)) console.log(tableLine(row));
}
const usual = (program: string): Row | undefined => rows.find((row) => row.program === program && row.way === `${2 ** USUAL_DEPTH}-ary`);
const calldata = rows.filter(({ blobs }) => blobs === 0);
const large = rows.filter(({ program }) => program === `2^${LARGE.steps} steps`);
const withinLimits = (way: string, transactions: number): boolean => large.filter((row) => row.way === way).every((row) => row.gas <= LARGE.gas && row.transactions <= transactions);
conclude(
  { ...started, ...(values.markdown ? {} : { rows }) },
  {
    'the honest side wins every dispute': honestWonAll,
    'no dispute takes more levels than the formula says': asTheFormula,
    'no other arity in calldata costs less than nine tenths of 16': calldata.every((row) => row.gas >= 0.9 * (usual(row.program)?.gas ?? 0)),
    [`2^${LARGE.steps} steps take at most ${LARGE.gas} gas and ${LARGE.calldataTransactions} transactions with calldata`]: withinLimits(`${2 ** USUAL_DEPTH}-ary`, LARGE.calldataTransactions),
    [`2^${LARGE.steps} steps take at most ${LARGE.gas} gas and ${LARGE.blobTransactions} transactions with blobs`]: withinLimits('4096-ary, blobs', LARGE.blobTransactions),
  },
  values.json,
);
