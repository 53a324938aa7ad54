/**
 * Random steps of every opcode, the interpreter here against the contract in forge: `npm run evidence:machine-forge [-- --cases n] [--seed n] [--each n] [--workers n]`.
 * A million cases by default. Both sides draw the same cases and hash what they get; where a digest differs, the case is found, shrunk, printed, and in the form
 * of regressions.json. Exit code 1 then. `--write` instead writes digests.json, which the tests compare with: after a change of the machine or of the generator.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Hex } from 'viem';
import { WordMachineEvm } from '../word-machine-evm.ts';
import { counterExample } from './compare.ts';
import { drawnStep } from './drawn-step.ts';
import { stepDigests } from './digests.ts';
import type { StepDigests } from './digests.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FILE = 'cache/step-digests.json';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    each: { type: 'string', default: '1000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    write: { type: 'boolean', default: false },
    /** First group and number of groups: what a worker is started with. */
    part: { type: 'string' },
  },
});
const [seed, each] = [Number(values.seed), Number(values.each)];

/** Groups `first` to `first + count − 1`, in a process of their own. */
function digestsInWorker(first: number, count: number): Promise<readonly Hex[]> {
  return new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(import.meta.url), ['--seed', values.seed, '--each', values.each, '--part', `${first},${count}`]);
    let digests: readonly Hex[] | undefined;
    worker.on('message', (message) => {
      digests = message as readonly Hex[];
    });
    worker.on('error', reject);
    worker.on('exit', (code) => (digests === undefined ? reject(new Error(`a worker ended with code ${code}`)) : resolve(digests)));
  });
}

async function digestsInWorkers(groups: number): Promise<StepDigests> {
  const share = Math.ceil(groups / Math.max(1, Math.min(Number(values.workers), groups)));
  const starts = Array.from({ length: Math.ceil(groups / share) }, (_, index) => index * share);
  const parts = await Promise.all(starts.map((first) => digestsInWorker(first, Math.min(share, groups - first))));
  return { seed, first: 0, each, digests: parts.flat() };
}

/** The first case of the first group that differs in forge; null when none does. */
function differenceInForge(expected: StepDigests): number | null {
  mkdirSync(`${ROOT}cache`, { recursive: true });
  writeFileSync(`${ROOT}${FILE}`, JSON.stringify(expected));
  const { stdout, stderr, status } = spawnSync('node', ['contracts/forge.mjs', 'test', '--match-contract', '^StepDigestsTest$'], {
    cwd: ROOT, encoding: 'utf8', env: { ...process.env, ASSAY_STEP_DIGESTS: FILE, FOUNDRY_SNAPSHOTS: 'cache/snapshots' },
  });
  if (status === 0) return null;
  const found = /cases from (\d+)/.exec(stdout);
  if (found === null) throw new Error(`forge failed:\n${stdout}${stderr}`);
  return Number(found[1]);
}

async function main(): Promise<void> {
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(0);
  const expected = await digestsInWorkers(Math.ceil(Number(values.cases) / each));
  console.error(`${expected.digests.length} digests of ${each} cases after ${seconds()} s`);
  const group = differenceInForge(expected);
  if (group === null) return console.log(`${expected.digests.length * each} steps in forge have the interpreter's digests (seed ${seed}); ${seconds()} s`);
  process.exitCode = 1;
  const number = differenceInForge(stepDigests(seed, group, 1, each));
  if (number === null) throw new Error(`the digest of cases from ${group} differs, but no case of them does`);
  console.log(`case ${number} of seed ${seed} differs`);
  const found = await counterExample(await WordMachineEvm.create(), drawnStep(seed, number).parts);
  if (found === null) return console.log('the contract in the local EVM agrees: the generators differ');
  console.log(`shrunk: ${found.text}\nthe interpreter has ${found.step.postState}, the contract ${found.step.contract}\nfor regressions.json, once the right state is known:`);
  console.log(JSON.stringify({ name: found.text, ...found.step }));
}

/** The committed share: another seed's first cases. */
const committed = (): StepDigests => stepDigests(2, 0, 500, 8);

if (values.write) writeFileSync(new URL('digests.json', import.meta.url), `${JSON.stringify(committed(), null, 1)}\n`);
else if (values.part === undefined) await main();
else {
  const [first, count] = values.part.split(',').map(Number) as [number, number];
  process.send!(stepDigests(seed, first * each, each, count).digests, () => process.disconnect());
}
