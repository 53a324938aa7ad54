import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from './in-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A mutant may make a test loop. */
const LIMIT_MILLISECONDS = 300_000;
const QUICK = { FOUNDRY_DENY: 'never', FOUNDRY_FUZZ_RUNS: '16', FOUNDRY_INVARIANT_RUNS: '8', FOUNDRY_INVARIANT_DEPTH: '48' };

/** Without the optimiser a contract compiles in seconds. */
const quickly = (settings: string): string => settings.replace(/^optimizer = true$/m, 'optimizer = false');

interface ForgeRun { readonly passed: boolean; readonly output: string }

/** Judges changed sources by the project's forge tests, in a copy of the contracts in a temporary folder. */
export class ForgeTests {
  readonly #folder: string;
  readonly #tests: string;

  private constructor(folder: string, tests: string) {
    this.#folder = folder;
    this.#tests = tests;
  }

  /**
   * @param tests glob of the test files that count
   * @throws Error when the tests fail without any mutant
   */
  static async create(tests: string): Promise<ForgeTests> {
    const folder = await mkdtemp(join(tmpdir(), 'assay-mutants-'));
    await cp(join(ROOT, 'contracts'), join(folder, 'contracts'), { recursive: true });
    await writeFile(join(folder, 'foundry.toml'), quickly(await readFile(join(ROOT, 'foundry.toml'), 'utf8')));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const created = new ForgeTests(folder, tests);
    const { passed, output } = await created.#run();
    if (!passed) throw new Error(`the forge tests fail without a mutant:\n${output.slice(-4000)}`);
    return created;
  }

  /** Runs the tests with `source` in the place of the file at `path` (from the repository's root). */
  async judge(path: string, source: string): Promise<Verdict> {
    const file = join(this.#folder, path);
    const original = await readFile(file);
    await writeFile(file, source);
    try {
      const { passed, output } = await this.#run();
      if (passed) return { verdict: 'survived' };
      const failed = /\[FAIL.*\] (\w+)\(/.exec(output)?.[1];
      if (failed !== undefined) return { verdict: 'killed', by: failed };
      if (output.includes('Compiler run failed')) return { verdict: 'does not compile' };
      return { verdict: 'killed', by: 'a test that did not end' };
    } finally {
      await writeFile(file, original);
    }
  }

  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #run(): Promise<ForgeRun> {
    const environment = { ...process.env, ...QUICK, FOUNDRY_OUT: 'out', FOUNDRY_CACHE_PATH: 'cache', FOUNDRY_SNAPSHOTS: 'snapshots' };
    return new Promise((resolve) => {
      execFile('node', ['contracts/forge.mjs', 'test', '--fail-fast', '--match-path', this.#tests], { cwd: this.#folder, env: environment, timeout: LIMIT_MILLISECONDS, maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
        resolve({ passed: error === null, output: `${stdout}${stderr}` }));
    });
  }
}
