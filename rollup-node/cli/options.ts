import { InvalidArgumentError, Option } from 'commander';
import { EXECUTOR_NAMES } from '../executors.ts';

/** `--json`: for scripts; its fields are stable. */
export const jsonOption = (): Option => new Option('--json', 'print one line of JSON');

/** `--executor`: what runs the program. */
export const executorOption = (): Option =>
  new Option('--executor <name>', 'what runs the program; auto takes a real GPU if there is one, else wasm').choices([...EXECUTOR_NAMES]).default('auto');

/** Parses a whole number in a range, for commander. */
export function wholeNumber(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < low || number > high) throw new InvalidArgumentError(`expected a whole number from ${low} to ${high}`);
    return number;
  };
}
