import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCreation, contractIn } from './compile.ts';
import { sourcesFrom } from '../../contracts/test/machine/compile.ts';
import type { Verdict } from './in-process.ts';
import type { Suite } from './sources.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What forge built last, for the next run: it builds what has changed since. */
const BUILT = join(ROOT, 'node_modules/.cache/assay/mutants');
const BUILDS = ['out', 'cache', 'remembered'];
/** A mutant may make a test loop. */
const LIMIT_MILLISECONDS = 120_000;
const QUICK = { FOUNDRY_DENY: 'never', FOUNDRY_INVARIANT_RUNS: '8', FOUNDRY_INVARIANT_DEPTH: '48', FOUNDRY_OUT: 'out', FOUNDRY_CACHE_PATH: 'cache/forge', FOUNDRY_SNAPSHOTS: 'snapshots' };
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
  readonly #originals: ReadonlyMap<string, string>;
  readonly #quick: Round;
  readonly #thorough: Round;
  readonly #slow: Round | null;

  private constructor(folder: string, { tests, slow, compiled }: Suite) {
    this.#folder = folder;
    this.#originals = new Map(compiled.map((path) => [path, compileCreation(path)]));
    const options = ['--match-path', tests, ...(slow === null ? [] : ['--no-match-path', slow])];
    this.#quick = { options, draws: 4 };
    this.#thorough = { options, draws: 128 };
    this.#slow = slow === null ? null : { options: ['--match-path', slow], draws: 2 };
  }

  /** @throws Error when the tests fail without any mutant */
  static async create(suite: Suite): Promise<ForgeTests> {
    const folder = await mkdtemp(join(tmpdir(), 'assay-mutants-'));
    await cp(join(ROOT, 'contracts'), join(folder, 'contracts'), { recursive: true });
    for (const built of BUILDS) await cp(join(BUILT, built), join(folder, built), { recursive: true }).catch(exists);
    const settings = (await readFile(join(ROOT, 'foundry.toml'), 'utf8')).replace('./contracts/solc.mjs', './remembering-solc.mjs');
    await writeFile(join(folder, 'foundry.toml'), settings);
    await cp(join(ROOT, 'test/mutation/remembering-solc.mjs'), join(folder, 'remembering-solc.mjs'));
    await chmod(join(folder, 'remembering-solc.mjs'), 0o755);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const created = new ForgeTests(folder, suite);
    const optimised = await created.#run(created.#quick, 1_200_000);
    if (!optimised.passed) throw new Error(`the forge tests fail without a mutant:\n${optimised.output.slice(-4000)}`);
    for (const built of BUILDS) await cp(join(folder, built), join(BUILT, built), { recursive: true });
    for (const [compiled, code] of created.#originals) await created.#replace(compiled, code);
    for (const round of created.#roundsFor('')) {
      const { passed, output } = await created.#run(round);
      if (!passed) throw new Error(`the forge tests fail without the optimiser:\n${output.slice(-4000)}`);
    }
    return created;
  }

  /** Runs the tests with `source` in the place of the file at `path` (from the repository's root). */
  async judge(path: string, source: string): Promise<Verdict> {
    const changed = [...this.#originals.keys()].filter((compiled) => sourcesFrom(compiled)[path] !== undefined);
    let codes: string[];
    try {
      codes = changed.map((compiled) => compileCreation(compiled, { [path]: source }));
    } catch {
      return { verdict: 'does not compile' };
    }
    try {
      for (const [index, compiled] of changed.entries()) await this.#replace(compiled, codes[index]!);
      for (const round of this.#roundsFor(path)) {
        const { passed, output } = await this.#run(round);
        if (!passed) return { verdict: 'killed', by: /\[FAIL.*\] (\w+)\(/.exec(output)?.[1] ?? 'a test that did not end' };
      }
      return { verdict: 'survived' };
    } finally {
      for (const compiled of changed) await this.#replace(compiled, this.#originals.get(compiled)!);
    }
  }

  /** In the order in which a mutant of that source is likely to fall. */
  #roundsFor(path: string): readonly Round[] {
    const slow = this.#slow === null ? [] : [this.#slow];
    return path.endsWith('BlobClaims.sol') ? [...slow, this.#quick, this.#thorough] : [this.#quick, this.#thorough, ...slow];
  }

  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Puts what a source's contract was compiled to where forge's tests take it from. */
  async #replace(compiled: string, code: string): Promise<void> {
    const file = join(this.#folder, 'out', basename(compiled), `${contractIn(compiled)}.json`);
    const artifact = JSON.parse(await readFile(file, 'utf8')) as { bytecode: { object: string } };
    artifact.bytecode.object = code;
    await writeFile(file, JSON.stringify(artifact));
  }

  #run({ options, draws }: Round, timeout = LIMIT_MILLISECONDS): Promise<ForgeRun> {
    const env = { ...process.env, ...QUICK, FOUNDRY_FUZZ_RUNS: String(draws) };
    return new Promise((resolve, reject) => {
      // A group of its own, forge being a child's child: a test without an end is stopped with all of it.
      const child = spawn('node', ['contracts/forge.mjs', 'test', '--fail-fast', ...options], { cwd: this.#folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (output += text));
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), timeout);
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ passed: code === 0, output });
      });
    });
  }
}
