import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assumptions, MeasuredGas, MeteredGas } from './economics.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TRANSACTION_GAS = 21_000n;
/** Names in snapshots/measured.json of what forge's fake machine cannot measure. */
const CHALLENGE = 'challenge about a real model, with its last state (npm run bench:disputes)';
export const DEAREST_STEP = 'dearest step found by search, as a transaction (contracts/test/machine/dearest-step.test.ts)';

type Snapshot = Readonly<Record<string, string>>;

/** A committed snapshot of receipt gas. */
export const snapshot = (name: string): Snapshot => JSON.parse(readFileSync(join(ROOT, 'snapshots', `${name}.json`), 'utf8')) as Snapshot;

/** The most of the entries whose names begin so. @throws Error when there is none: the snapshots have changed their names */
function greatest(entries: Snapshot, ...beginnings: readonly string[]): bigint {
  const found = Object.entries(entries).filter(([name]) => beginnings.some((beginning) => name.startsWith(beginning))).map(([, gas]) => BigInt(gas));
  if (found.length === 0) throw new Error(`the gas snapshots have no entry that begins with ${beginnings.join(' or ')}: see contracts/test/suite/Gas.t.sol`);
  return found.reduce((a, b) => (a > b ? a : b));
}

/** The dearest transaction of each kind in the committed snapshots, of splits with 16 segments. */
export function measuredGas(): MeasuredGas {
  const [calldata, blob, machine, elsewhere] = [snapshot('dispute-16'), snapshot('dispute-blob'), snapshot('WordMachine'), snapshot('measured')];
  const [answer, move, step] = [greatest(calldata, '2 answer'), greatest(calldata, '3 move', '4 last move'), greatest({ ...machine, ...elsewhere }, 'step,', DEAREST_STEP)];
  const picks = [greatest(blob, '2 answer: calldata to a blob') - answer, greatest(blob, '3 move: calldata to a blob') - move];
  const [settle, withdraw] = [greatest(calldata, 'settle'), greatest(calldata, 'withdraw')];
  return {
    opening: greatest({ ...calldata, ...blob, ...elsewhere }, '1 challenge', CHALLENGE),
    answer, move,
    // Of the two transactions that the figures are from, one is left.
    proof: greatest(calldata, '9 prove') + step - TRANSACTION_GAS,
    blobPick: picks.reduce((a, b) => (a > b ? a : b)),
    // A last split has up to twice the segments of others. There is one a game, so what it costs more is metered with the end.
    ending: settle + withdraw + greatest(calldata, '5 longest last move') - move,
    settle, withdraw,
  };
}

/** The constants in DissectionGame's source. @throws Error when one is not there */
export function meteredGas(): MeteredGas {
  const source = readFileSync(join(ROOT, 'contracts/src/DissectionGame.sol'), 'utf8');
  const constant = (name: string): bigint => {
    const value = new RegExp(`uint256 public constant ${name} = ([0-9_]+);`).exec(source)?.[1];
    if (value === undefined) throw new Error(`contracts/src/DissectionGame.sol has no constant ${name}`);
    return BigInt(value.replaceAll('_', ''));
  };
  return { opening: constant('OPENING_GAS'), answer: constant('ANSWER_GAS'), move: constant('MOVE_GAS'), proof: constant('PROOF_GAS'), blobPick: constant('BLOB_PICK_GAS'), ending: constant('ENDING_GAS') };
}

const GWEI = 10n ** 9n;

/** What the amounts of `MAIN_PARAMETERS` were computed from. Change one, run `npm run bonds`, and commit what it writes. */
export const ASSUMPTIONS: Assumptions = {
  // An assumption, not a forecast: ten times what gas cost on most days of 2025. All amounts but the pace are in proportion to it.
  gasPrice: 10n * GWEI,
  // 0.50 dollars an hour for two rented cores, at 2,000 dollars an ether.
  machineHour: 25n * 10n ** 13n,
  // docs/benchmarks.md, "What a dispute costs": some 484 million steps of stories260K (246 of 512 iterations) in 1.17 s, hashing included.
  stepsPerSecond: 400_000_000n,
  // docs/benchmarks.md, "Hashing": WebAssembly, one thread, median at a load of 7.
  hashesPerSecond: 2_260_000n,
  // The same run stores 51 MB in words of 32 bytes, one in 300 steps; small networks store more often.
  stepsPerHash: 100n,
  // A thousand times the longest program at hand.
  steps: 1n << 40n,
};
