import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

const ASSAY = fileURLToPath(new URL('../../rollup-node/cli/assay.mjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AssayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input; empty by default. */
  readonly input?: string | Uint8Array;
  /** Commands that a shell runs before it becomes the command line, such as `ulimit`. */
  readonly shell?: string;
  /** Where it is started; where the tests are, otherwise. */
  readonly folder?: string;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `assay` as a process of its own, as a user does. */
export function assay(parameters: readonly string[], { environment = {}, input = '', shell, folder, onStart }: AssayOptions = {}): Promise<Ended> {
  const options: SpawnOptions = { stdio: 'pipe', env: { ...process.env, ...environment }, ...(folder === undefined ? {} : { cwd: folder }) };
  const child = shell === undefined
    ? spawn(process.execPath, [ASSAY, ...parameters], options)
    : spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ASSAY, ...parameters], options);
  onStart?.(child);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (text: string) => { texts[name] += text; });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...texts }));
  });
}

/** Runs `assay` with `--json`, and gives its answer. */
export async function answer(parameters: readonly string[], options?: AssayOptions): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await assay([...parameters, '--json'], options);
  expect(code, stderr).toBe(0);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Expects that a command refuses: with one line on standard error that says why, no stack trace, and nothing on standard output. */
export async function refusal(parameters: readonly string[], exitCode: number, reason: RegExp, options?: AssayOptions): Promise<void> {
  const { code, stdout, stderr } = await assay(parameters, options);
  expect(stderr).toMatch(reason);
  expect(stderr).toMatch(/^assay: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat \S+ \(|node:internal|undefined|\[object/);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
}

/** A folder that is deleted when the test file has ended; gives paths in it. */
export function temporaryFolder(): (...names: string[]) => string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}
