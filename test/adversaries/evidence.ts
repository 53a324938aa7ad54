/**
 * Every adversary of the library, in each of its roles, against the honest player:
 * `npm run evidence:adversaries [-- --games n] [--seed n] [--model small,small-language-model,mnist,lande,storyteller] [--inputs n] [--only words] [--anvil] [--json]`. In this process,
 * or on anvil, with real blocks. After each game the invariants of `invariants.ts` are checked. Exit code 1 when the honest side loses a game or money,
 * when wei appears or vanishes, or when a call that means nothing is accepted.
 */
import { parseArgs } from 'node:util';
import { conclude, conditions, median, progress, rounded } from '../../bench/measurement.ts';
import { contestantNamed, smallContestant, smallLanguageModelContestant } from '../disputes/contestants.ts';
import type { Contestant } from '../disputes/random-matches.ts';
import { campaign, openInferences } from './campaign.ts';
import { ADVERSARIES } from './library.ts';
import { anvilStage, localStage } from './stage.ts';

const { values } = parseArgs({
  options: {
    games: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string', default: 'small,small-language-model' },
    inputs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    anvil: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const SMALL: Readonly<Record<string, () => Contestant | Promise<Contestant>>> = { small: smallContestant, 'small-language-model': smallLanguageModelContestant };
const GAMES_ON_LOCAL_CHAIN = 60;
const ETHER = 1e18;

const [started, games, seed] = [conditions(), Number(values.games), Number(values.seed)];
const contestants: Contestant[] = [];
for (const name of values.model.split(',')) contestants.push(await (SMALL[name]?.() ?? contestantNamed(name)));
const inferences = await openInferences(contestants, Number(values.inputs), seed);
const adversaries = ADVERSARIES.filter(({ name }) => name.includes(values.only));

const reached = progress('games', games);
const broken: string[] = [];
let done = 0;
const begun = performance.now();
const outcomes = await campaign({
  adversaries, inferences, games, seed,
  openStage: values.anvil ? anvilStage : localStage,
  gamesOnStage: values.anvil ? games : GAMES_ON_LOCAL_CHAIN,
  onOutcome: () => reached(++done),
  onBroken: (error, { adversary, role, game }) => {
    broken.push(`${adversary.name}, as ${role}, game ${game}: ${error instanceof Error ? error.message : String(error)}`);
    console.error(`BROKEN: ${broken.at(-1)}`, error);
  },
});
const seconds = (performance.now() - begun) / 1_000;

const rows = adversaries.flatMap(({ name, roles }) => roles.map((role) => {
  const own = outcomes.filter((outcome) => outcome.adversary === name && outcome.role === role);
  const gas = own.map((outcome) => Number(outcome.gas));
  const loss = own.map((outcome) => Number(outcome.loss) / ETHER);
  return {
    adversary: name, role, scenes: own.length,
    games: own.reduce((sum, outcome) => sum + outcome.games, 0), honestWins: own.reduce((sum, outcome) => sum + outcome.won, 0),
    gasMedian: gas.length === 0 ? null : median(gas), gasGreatest: gas.length === 0 ? null : Math.max(...gas),
    attackersLeastLoss: loss.length === 0 ? null : rounded(Math.min(...loss), 4),
  };
}));
if (!values.json) {
  console.log('adversary | its role | scenes | games | honest wins | honest gas, median | honest gas, greatest | attacker loses at least (ether)');
  for (const row of rows) console.log(Object.values(row).map((value) => value ?? '–').join(' | '));
}
const total = { games: outcomes.reduce((sum, outcome) => sum + outcome.games, 0), honestWins: outcomes.reduce((sum, outcome) => sum + outcome.won, 0) };
conclude(
  {
    ...started, chain: values.anvil ? 'anvil' : 'in this process', models: values.model, seed, adversaries: adversaries.length, scenes: outcomes.length, ...total,
    seconds: rounded(seconds, 4), gamesPerSecond: rounded(total.games / seconds), leastLoss: outcomes.length === 0 ? null : rounded(Math.min(...outcomes.map(({ loss }) => Number(loss) / ETHER)), 4), broken: broken.length,
    ...(values.json ? { rows } : {}),
  },
  { 'the honest side wins every game, and every invariant holds': broken.length === 0 && total.games > 0 && total.games === total.honestWins },
  values.json,
);
