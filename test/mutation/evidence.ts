/**
 * Mutation testing of the contracts: `npm run evidence:mutants [-- paths of sources] [--sample n] [--seed n] [--only text] [--forge] [--json] [--write] [--continue]`.
 * Makes every mutant of each source from its syntax tree, one by one, and runs tests until one fails. The machine and the libraries without storage are judged by
 * calls in this process, others (and all with `--forge`) by forge tests in a copy of the contracts. Prints a table, and each survivor with the
 * reason why it is equivalent; exit code 1 when one has none, or when a mutant that is listed as equivalent is killed.
 * `--write` keeps what became of each mutant of whole sources in docs/mutants; `--continue` takes from there what is known. A changed source needs a run without it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { EQUIVALENT } from './equivalent.ts';
import { ForgeTests } from './forge.ts';
import { InProcessTests } from './in-process.ts';
import type { Verdict } from './in-process.ts';
import { mutantsOf } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { knownResults, resultsOf } from './results.ts';
import { GAME, MACHINE, REQUESTS, RESULTS, ROOT, nameOf } from './sources.ts';
import type { Suite } from './sources.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' }, seed: { type: 'string', default: '1' }, only: { type: 'string', default: '' }, forge: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false }, continue: { type: 'boolean', default: false },
  },
});

interface Judged { readonly mutant: Mutant; readonly verdict: Verdict }
interface Row { file: string; mutants: number; invalid: number; killed: number; equivalent: number; survivors: number }

const paths = positionals.length > 0 ? positionals : [...MACHINE, ...GAME.sources, ...REQUESTS.sources];
const inProcess = await InProcessTests.create();
const forge = new Map<Suite, ForgeTests>();

/** A few of them, in their order. */
function sampled(mutants: readonly Mutant[]): Mutant[] {
  const wanted = mutants.filter(({ name }) => name.includes(values.only));
  if (values.sample === undefined) return wanted;
  const random = new Random(Number(values.seed));
  const keyed = wanted.map((mutant) => ({ mutant, key: random.uint32() })).sort((left, right) => left.key - right.key);
  const kept = new Set(keyed.slice(0, Number(values.sample)).map(({ mutant }) => mutant));
  return wanted.filter((mutant) => kept.has(mutant));
}

async function judge(path: string, { name, source }: Mutant, known: ReadonlyMap<string, Verdict>): Promise<Verdict> {
  const before = known.get(name);
  if (before !== undefined) return before;
  if (!values.forge && inProcess.covers(path)) return inProcess.judge(path, source);
  const suite = REQUESTS.sources.includes(path) ? REQUESTS : GAME;
  if (!forge.has(suite)) forge.set(suite, await ForgeTests.create(suite));
  return forge.get(suite)!.judge(path, source);
}

/** An interrupt ends the run after the mutant at hand, with the table of those that were judged. */
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});

const rows: Row[] = [];
const judged: Judged[] = [];
for (const path of paths) {
  const name = nameOf(path);
  const mutants = sampled(mutantsOf(readFileSync(`${ROOT}${path}`, 'utf8'), name));
  if (interrupted) break;
  const row: Row = { file: name, mutants: 0, invalid: 0, killed: 0, equivalent: 0, survivors: 0 };
  rows.push(row);
  const results = `${RESULTS}/${name}.json`;
  const known: ReadonlyMap<string, Verdict> = values.continue && existsSync(results) ? knownResults(name, readFileSync(results, 'utf8')) : new Map();
  const ofFile: { readonly name: string; readonly verdict: Verdict }[] = [];
  const write = (): void => {
    if (!values.write || values.only !== '' || values.sample !== undefined) return;
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(results, resultsOf(name, ofFile));
  };
  for (const [number, mutant] of mutants.entries()) {
    if (number % 20 === 0) console.error(`${name}: ${number} of ${mutants.length}`);
    const verdict = await judge(path, mutant, known);
    if (interrupted) break;
    row.mutants += 1;
    judged.push({ mutant, verdict });
    ofFile.push({ name: mutant.name, verdict });
    if (number % 10 === 9 && !known.has(mutant.name)) write();
    if (verdict.verdict === 'does not compile') row.invalid += 1;
    else if (verdict.verdict === 'killed') row.killed += 1;
    else if (EQUIVALENT[mutant.name] === undefined) row.survivors += 1;
    else row.equivalent += 1;
    if (verdict.verdict === 'survived' && EQUIVALENT[mutant.name] === undefined) console.error(`survived: line ${mutant.line}, ${mutant.name}`);
  }
  write();
}
for (const tests of forge.values()) await tests.dispose();

const stale = judged.filter(({ mutant, verdict }) => verdict.verdict === 'killed' && EQUIVALENT[mutant.name] !== undefined);
const survivors = judged.filter(({ verdict }) => verdict.verdict === 'survived');
if (values.json) console.log(JSON.stringify({ rows, survivors: survivors.map(({ mutant }) => ({ name: mutant.name, line: mutant.line, reason: EQUIVALENT[mutant.name] ?? null })), stale: stale.map(({ mutant }) => mutant.name) }, null, 1));
else {
  console.table(rows);
  for (const { mutant } of survivors) console.log(`${mutant.name} (line ${mutant.line}): ${EQUIVALENT[mutant.name] === undefined ? 'SURVIVED' : `equivalent: ${EQUIVALENT[mutant.name]}`}`);
  for (const { mutant, verdict } of stale) console.log(`${mutant.name}: listed as equivalent, but killed by ${'by' in verdict ? verdict.by : ''}`);
}
if (stale.length > 0 || rows.some(({ survivors: left }) => left > 0)) process.exitCode = 1;
