/**
 * Model checking of disputes, all of it: every adversary of the game of up to 64 steps, every small history of assertions, and the contracts
 * held to both models. Prints what was gone through. `npm run evidence:exhaustive`, some minutes; `-- --long` adds the
 * largest histories, some twenty minutes more.
 */
import { parseArgs } from 'node:util';
import { checkGames } from './game-checker.ts';
import { allPlays, replayPlay } from './game-plays.ts';
import { openGameBench } from './game-replay.ts';
import { gameRules } from './game-rules.ts';
import type { Role } from './game-rules.ts';
import { walkGame } from './game-walks.ts';
import type { WalkCount } from './game-walks.ts';
import { checkRollup } from './rollup-checker.ts';
import type { RollupBounds } from './rollup-players.ts';
import { CLAIM_NAMES, ROLLUP_RULES } from './rollup-rules.ts';
import { walkRollup } from './rollup-walks.ts';
import type { RollupWalkCount } from './rollup-walks.ts';

const ROLES: readonly Role[] = ['asserter', 'challenger'];
const upTo = (steps: number): number[] => Array.from({ length: steps }, (_, index) => index + 1);

function games(): void {
  console.log('\nThe game, N = 1 … 64, arity 4: every adversary\n\n| truthful | blob arity | clocks | states | transitions | games |\n|---|---|---|---|---|---|');
  for (const honest of ROLES) {
    for (const blobArity of [4096, 16]) {
      for (const allowance of [1, 2, 3, 4]) {
        const { states, transitions, games: played } = checkGames({ rules: gameRules(4, blobArity), honest, steps: upTo(64), allowance });
        console.log(`| ${honest} | ${blobArity} | ${allowance} s | ${states} | ${transitions} | ${played} |`);
      }
    }
  }
}

async function gamesOnContract(): Promise<void> {
  console.log('\nThe same on the contract\n');
  for (const [arityBits, most] of [[2, 8], [1, 10]] as const) {
    const bench = await openGameBench(arityBits);
    for (const honest of ROLES) {
      let plays = 0;
      for (const steps of upTo(most)) for (const play of allPlays(bench.rules, honest, steps)) await replayPlay(bench, honest, steps, play, (plays += 1) % 2 === 0);
      console.log(`- every game of up to ${most} steps, arity ${2 ** arityBits}, truthful ${honest}: ${plays} games, all won`);
    }
  }
  const bench = await openGameBench(2);
  const count: WalkCount = { games: 0, legal: 0, illegal: 0, honestWins: 0, honestGames: 0 };
  for (let seed = 1; seed <= 600; seed += 1) await walkGame(bench, seed * 104_729, { steps: 64, blobs: seed % 12 === 0 ? 8 : 0 }, count);
  console.log(`- by chance: ${count.games} games, ${count.legal} legal calls, ${count.illegal} illegal ones; truthful players won ${count.honestWins} of ${count.honestGames}`);
}

function histories(long: boolean): void {
  const one: RollupBounds = { attackersInstances: 1, instances: 1, shamGames: 2, requests: false, claims: CLAIM_NAMES };
  const two: RollupBounds = { ...one, instances: 2 };
  const three: RollupBounds = { ...one, instances: 3 };
  const all: [RollupBounds, boolean][] = [
    [one, false],
    [{ ...one, others: true }, false],
    [{ ...one, shamGames: 4, others: true }, false],
    [{ ...one, requests: true }, false],
    [two, false],
    [{ ...two, attackersInstances: 2 }, false],
    [{ ...two, attackersInstances: 2, shamGames: 1, requests: true }, false],
    [{ ...three, shamGames: 1 }, false],
    [{ ...three, attackersInstances: 2, shamGames: 1 }, false],
    [{ ...three, attackersInstances: 2, claims: ['right', 'wrong', 'right on right'] }, false],
    [{ ...three, attackersInstances: 2, shamGames: 1, requests: true, claims: ['right', 'wrong', 'right on right'] }, false],
    [{ ...two, attackersInstances: 2, others: true }, true],
    [{ ...three, attackersInstances: 3, shamGames: 1 }, true],
    [{ ...three, attackersInstances: 2 }, true],
    [{ ...three, attackersInstances: 2, shamGames: 1, requests: true }, true],
    [{ ...three, instances: 4, attackersInstances: 2, shamGames: 1 }, true],
    [{ ...three, attackersInstances: 3 }, true],
  ];
  console.log('\nAssertions: every history within the bounds, an honest way to the end in every state\n');
  const columns = ['instances', 'of attackers at most', 'their games', 'requests', 'claims', 'states', 'transitions', 'instances in a phase', 'seconds', 'peak memory so far'];
  console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
  for (const [bounds, isLong] of all) {
    if (isLong && !long) continue;
    const { instances, attackersInstances, shamGames, requests, claims, others } = bounds;
    const startedAt = performance.now();
    const { states, transitions, instances: met } = checkRollup(ROLLUP_RULES, bounds);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
    const cells = [
      `${instances}${others ? ', and any others' : ''}`, attackersInstances, shamGames, requests ? 'two' : 'none', claims.length === CLAIM_NAMES.length ? 'all six' : claims.join(', '),
      states, transitions, met.length, seconds, `${megabytes} MB`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

async function historiesOnContracts(): Promise<void> {
  const count: RollupWalkCount = { legal: 0, illegal: 0, kinds: new Set() };
  const walks = 40;
  for (let seed = 1; seed <= walks; seed += 1) await walkRollup(seed * 104_729, 100, count);
  console.log(`\nThe same on the contracts: ${walks} walks, ${count.legal} legal actions of ${count.kinds.size} kinds, ${count.illegal} illegal ones`);
}

const PARTS = ['games', 'games-on-contract', 'histories', 'histories-on-contracts'] as const;
const USAGE = `npm run evidence:exhaustive [-- --long] [-- --only PART]

Goes through small disputes completely and prints what was gone through.

  --long       the largest histories of assertions, too
  --only PART  one of ${PARTS.join(', ')}
  --help       this`;

interface Options {
  readonly long: boolean;
  readonly only: string | undefined;
  readonly help: boolean;
}

/** @throws Error for an unknown option or part */
function readOptions(): Options {
  const { values } = parseArgs({ options: { long: { type: 'boolean', default: false }, only: { type: 'string' }, help: { type: 'boolean', default: false } } });
  const { long, only, help } = values;
  if (only !== undefined && !PARTS.some((part) => part === only)) throw new Error(`--only takes one of ${PARTS.join(', ')}, not "${only}"`);
  return { long, only, help };
}

async function main({ long, only }: Options): Promise<void> {
  const wanted = (part: (typeof PARTS)[number]): boolean => only === undefined || only === part;
  if (wanted('games')) games();
  if (wanted('games-on-contract')) await gamesOnContract();
  if (wanted('histories')) histories(long);
  if (wanted('histories-on-contracts')) await historiesOnContracts();
}

let options: Options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
if (options.help) console.log(USAGE);
else await main(options);
