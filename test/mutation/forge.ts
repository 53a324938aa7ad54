import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCreation } from './compile.ts';
import { sourcesFrom } from '../../contracts/test/machine/compile.ts';
import type { Verdict } from './in-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What forge built last, for the next run: it builds what has changed since. */
const BUILT = join(ROOT, 'node_modules/.cache/assay/mutants');
const BUILDS = ['out', 'cache', 'remembered'];
/** A mutant may make a test loop. */
const LIMIT_MILLISECONDS = 120_000;
const QUICK = { FOUNDRY_DENY: 'never', FOUNDRY_INVARIANT_RUNS: '8', FOUNDRY_INVARIANT_DEPTH: '48', FOUNDRY_OUT: 'out', FOUNDRY_CACHE_PATH: 'cache/forge', FOUNDRY_SNAPSHOTS: 'snapshots' };
/** Proofs about blobs take seconds, all other tests together one. */
const SLOW = 'contracts/test/game/DissectionGame.blob.t.sol';
/** Contracts that tests deploy. */
const DEPLOYED = ['DissectionGame', 'ResultAssertions'];

/** Options of forge for one round of tests, and draws of each fuzzed one. */
interface Round { readonly options: readonly string[]; readonly draws: number }
interface ForgeRun { readonly passed: boolean; readonly output: string }

const exists = (error: unknown): never | undefined => {
  if ((error as { code?: string }).code !== 'ENOENT') throw error;
  return undefined;
};

/**
 * Judges changed sources by the project's forge tests, in a copy of the contracts in a temporary folder. Only the contracts that a change
 * is in are compiled again, here, and take the place of what forge has built; forge itself finds nothing to compile.
 */
export class ForgeTests {
  readonly #folder: string;
  readonly #originals = new Map(DEPLOYED.map((name) => [name, compileCreation(`contracts/src/${name}.sol`, name)]));
  readonly #rounds: { readonly quick: Round; readonly blobs: Round; readonly thorough: Round };

  private constructor(folder: string, tests: string) {
    this.#folder = folder;
    this.#rounds = {
      quick: { options: ['--match-path', tests, '--no-match-path', SLOW], draws: 4 },
      blobs: { options: ['--match-path', SLOW], draws: 2 },
      thorough: { options: ['--match-path', tests, '--no-match-path', SLOW], draws: 128 },
    };
  }

  /**
   * @param tests glob of the test files that count
   * @throws Error when the tests fail without any mutant
   */
  static async create(tests: string): Promise<ForgeTests> {
    const folder = await mkdtemp(join(tmpdir(), 'assay-mutants-'));
    await cp(join(ROOT, 'contracts'), join(folder, 'contracts'), { recursive: true });
    for (const built of BUILDS) await cp(join(BUILT, built), join(folder, built), { recursive: true }).catch(exists);
    const settings = (await readFile(join(ROOT, 'foundry.toml'), 'utf8')).replace('./contracts/solc.mjs', './remembering-solc.mjs');
    await writeFile(join(folder, 'foundry.toml'), settings);
    await cp(join(ROOT, 'test/mutation/remembering-solc.mjs'), join(folder, 'remembering-solc.mjs'));
    await chmod(join(folder, 'remembering-solc.mjs'), 0o755);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const created = new ForgeTests(folder, tests);
    const optimised = await created.#run(created.#rounds.quick, 1_200_000);
    if (!optimised.passed) throw new Error(`the forge tests fail without a mutant:\n${optimised.output.slice(-4000)}`);
    for (const built of BUILDS) await cp(join(folder, built), join(BUILT, built), { recursive: true });
    for (const name of DEPLOYED) await created.#replace(name, created.#originals.get(name)!);
    for (const round of Object.values(created.#rounds)) {
      const { passed, output } = await created.#run(round);
      if (!passed) throw new Error(`the forge tests fail without the optimiser:\n${output.slice(-4000)}`);
    }
    return created;
  }

  /** Runs the tests with `source` in the place of the file at `path` (from the repository's root). */
  async judge(path: string, source: string): Promise<Verdict> {
    const changed = DEPLOYED.filter((name) => sourcesFrom(`contracts/src/${name}.sol`)[path] !== undefined);
    let codes: string[];
    try {
      codes = changed.map((name) => compileCreation(`contracts/src/${name}.sol`, name, { [path]: source }));
    } catch {
      return { verdict: 'does not compile' };
    }
    try {
      for (const [index, name] of changed.entries()) await this.#replace(name, codes[index]!);
      const { quick, blobs, thorough } = this.#rounds;
      for (const round of path.endsWith('BlobClaims.sol') ? [blobs, quick, thorough] : [quick, thorough, blobs]) {
        const { passed, output } = await this.#run(round);
        if (!passed) return { verdict: 'killed', by: /\[FAIL.*\] (\w+)\(/.exec(output)?.[1] ?? 'a test that did not end' };
      }
      return { verdict: 'survived' };
    } finally {
      for (const name of changed) await this.#replace(name, this.#originals.get(name)!);
    }
  }

  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Puts a contract, compiled with these sources in the place of its own, where forge's tests take it from. */
  async #replace(name: string, code: string): Promise<void> {
    const file = join(this.#folder, `out/${name}.sol/${name}.json`);
    const artifact = JSON.parse(await readFile(file, 'utf8')) as { bytecode: { object: string } };
    artifact.bytecode.object = code;
    await writeFile(file, JSON.stringify(artifact));
  }

  #run({ options, draws }: Round, timeout = LIMIT_MILLISECONDS): Promise<ForgeRun> {
    const env = { ...process.env, ...QUICK, FOUNDRY_FUZZ_RUNS: String(draws) };
    return new Promise((resolve) => {
      execFile('node', ['contracts/forge.mjs', 'test', '--fail-fast', ...options], { cwd: this.#folder, env, timeout, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
        resolve({ passed: error === null, output: `${stdout}${stderr}` }));
    });
  }
}
