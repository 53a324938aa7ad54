import { modelFiles } from '../models/model-files.ts';
import { landeContestant, mnistContestant } from './contestants.ts';
import { playRandomMatches } from './random-matches.ts';
import type { PlayedMatch } from './random-matches.ts';

// `npm run evidence:disputes [games] [seed]`: whole disputes on anvil about real models, random faults, both liars.

const games = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? 1);
const folder = modelFiles();
if (folder === null) {
  console.error('this needs the folder of models (../shared/models, or ASSAY_MODELS)');
  process.exit(2);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const matches: PlayedMatch[] = [];
await playRandomMatches([await landeContestant(), mnistContestant(folder)], games, seed, (match) => {
  matches.push(match);
  if (match.result.winner !== match.result.honest) console.error(`LOST: game ${matches.length - 1}, seed ${seed}`, match.model, match.liar, match.result.fault);
  if (matches.length % 20 === 0) console.error(`${matches.length} of ${games} played`);
});
for (const model of new Set(matches.map((match) => match.model))) {
  for (const liar of ['asserter', 'challenger'] as const) {
    const played = matches.filter((match) => match.model === model && match.liar === liar);
    const gas = played.map((match) => Number(match.gas));
    console.log(JSON.stringify({
      model, liar,
      games: played.length,
      honestWins: played.filter(({ result }) => result.winner === result.honest).length,
      levels: [...new Set(played.map(({ result }) => result.levels))],
      gas: { median: median(gas), greatest: Math.max(...gas) },
      seconds: { median: median(played.map(({ result }) => result.seconds)), greatest: Math.max(...played.map(({ result }) => result.seconds)) },
      faults: Object.fromEntries(['word', 'scalar', 'vector'].map((kind) => [kind, played.filter(({ result }) => result.fault.kind === kind).length])),
    }));
  }
}
process.exit(matches.every(({ result }) => result.winner === result.honest) ? 0 : 1);
