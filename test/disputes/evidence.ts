/**
 * Whole disputes on anvil about real models, random faults, both liars in turn:
 * `npm run evidence:disputes [-- --model lande,mnist,resnet8,stories,stories-sampled,storyteller] [--games n] [--seed n] [--json]`. The games are of all models
 * together, which take turns. Lies about a language model strike in turn anywhere, where tokens are drawn, in the last token, and in what decides where the answer starts and ends.
 * Exit code 1 when the honest side does not win every one.
 */
import { parseArgs } from 'node:util';
import { conclude, conditions, median, progress, rounded } from '../../bench/measurement.ts';
import { placeOf } from '../../deterministic-runtime/program/program.ts';
import { contestantNamed } from './contestants.ts';
import { playRandomMatches } from './random-matches.ts';
import type { Contestant, PlayedMatch } from './random-matches.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'lande,mnist' },
    games: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const contestants: Contestant[] = [];
for (const name of values.model.split(',')) contestants.push(await contestantNamed(name));

const spread = (numbers: readonly number[]): object => ({ median: rounded(median(numbers), 6), greatest: rounded(Math.max(...numbers), 6) });
const counted = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(names)].sort().map((name) => [name, names.filter((other) => other === name).length]));

const [started, games, seed] = [conditions(), Number(values.games), Number(values.seed)];
const matches: PlayedMatch[] = [];
const reached = progress('games', games);
await playRandomMatches(contestants, games, seed, (match) => {
  matches.push(match);
  if (match.result.winner !== match.result.honest) console.error(`LOST: game ${matches.length - 1}, seed ${seed}`, match.model, match.liar, match.result.fault);
  reached(matches.length);
});

const summaries = contestants.flatMap(({ name, model }) => (['asserter', 'challenger'] as const).map((liar) => {
  const played = matches.filter((match) => match.model === name && match.liar === liar);
  const places = played.map(({ result: { fault } }) => placeOf(model.program, fault.slot));
  return [`${name}, the ${liar} lies`, {
    games: played.length,
    honestWins: played.filter(({ result }) => result.winner === result.honest).length,
    levels: [...new Set(played.map(({ result }) => result.levels))].sort(),
    gas: spread(played.map(({ gas }) => Number(gas))),
    secondsToRunAgainAndCommit: spread(played.map(({ result }) => result.openSeconds)),
    secondsOfMoves: spread(played.map(({ result }) => result.seconds)),
    faults: counted(played.map(({ result }) => result.fault.kind)),
    places: counted(places.map(({ section, operator }) => (section === 'body' ? operator.name.replace(/\.\d+/g, '') : section))),
    iterations: counted(places.map(({ section, iteration }) => (section === 'body' ? `${Math.floor(iteration / 32) * 32}…` : section))),
  }] as const;
}));
conclude(
  { ...started, seed, ...Object.fromEntries(summaries) },
  { 'the honest side wins every dispute': matches.length === games && matches.every(({ result }) => result.winner === result.honest) },
  values.json,
);
