import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';

const MILLISECONDS_BETWEEN_REPORTS = 10_000;

/** The middle value, the upper one of an even number; NaN of none. */
export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** A number to so many significant digits. */
export const rounded = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** A share in per cent, to two places; null of nothing. */
export const percent = (part: number, whole: number): number | null => (whole === 0 ? null : Math.round((10_000 * part) / whole) / 100);

/** When, at which commit and on what a figure was taken. `load` is the number of processes that wanted a processor in the last minute. */
export interface Conditions {
  readonly date: string;
  /** Ends with `+` when files that git knows have changed since. */
  readonly commit: string;
  readonly node: string;
  readonly processor: string;
  readonly load: number;
}

export function conditions(): Conditions {
  const git = (...words: string[]): string => execFileSync('git', words, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`,
    node: process.version,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    load: rounded(loadavg()[0] ?? 0, 2),
  };
}

/** Says on stderr, now and then, how far a long run is. */
export function progress(what: string, total: number): (done: number) => void {
  let next = performance.now() + MILLISECONDS_BETWEEN_REPORTS;
  return (done) => {
    if (performance.now() < next) return;
    next = performance.now() + MILLISECONDS_BETWEEN_REPORTS;
    console.error(`${done} of ${total} ${what}`);
  };
}

/** Prints results, as JSON or a line each. Claims that do not hold are named on stderr, and make the exit code 1. */
export function conclude(results: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, boolean>>, json: boolean): void {
  const failed = Object.keys(claims).filter((claim) => claims[claim] === false);
  if (json) console.log(JSON.stringify({ ...results, failed }));
  else for (const [name, value] of Object.entries(results)) console.log(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  for (const claim of failed) console.error(`does not hold: ${claim}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
