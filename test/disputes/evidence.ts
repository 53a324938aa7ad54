/**
 * Whole disputes on anvil about real models, random faults, both liars in turn:
 * `npm run evidence:disputes [-- --model lande,mnist,resnet8,stories,stories-sampled,storyteller] [--games n] [--seed n] [--json]`. The games are of all models
 * together, which take turns. Lies about a language model strike in turn anywhere, where tokens are drawn, in the last token, and in what decides where the answer starts and ends.
 * Exit code 1 when the honest side does not win every one.
 */
import { parseArgs } from 'node:util';
import { conclude, conditions, median, progress, rounded } from '../../bench/measurement.ts';
import { placeOf } from '../../deterministic-runtime/program/program.ts';
import { modelFiles } from '../models/model-files.ts';
import { GREEDY, SAMPLED, landeContestant, mnistContestant, resnetContestant, storiesContestant, storytellerContestant } from './contestants.ts';
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

const CONTESTANTS: Readonly<Record<string, (folder: string) => Promise<Contestant> | Contestant>> = {
  lande: landeContestant,
  mnist: mnistContestant,
  resnet8: resnetContestant,
  stories: (folder) => storiesContestant(folder, 'stories', GREEDY),
  'stories-sampled': (folder) => storiesContestant(folder, 'stories-sampled', SAMPLED),
  storyteller: storytellerContestant,
};

const folder = modelFiles();
const contestants: Contestant[] = [];
for (const name of values.model.split(',')) {
  const contestant = CONTESTANTS[name];
  if (contestant === undefined) throw new Error(`there is no model ${name}: take ${Object.keys(CONTESTANTS).join(', ')}`);
  if (folder === null && name !== 'lande' && name !== 'storyteller') throw new Error(`${name} needs the folder of models: put it at ../shared/models, or name it in ASSAY_MODELS`);
  contestants.push(await contestant(folder ?? ''));
}

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
