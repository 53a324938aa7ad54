import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { EXECUTOR_NAMES } from '../executors.ts';

/** `--json`: for scripts; its fields are stable. */
export const jsonOption = (): Option => new Option('--json', 'print one line of JSON');

/** `--executor`: what runs the program. */
export const executorOption = (what = 'what runs the program'): Option =>
  new Option('--executor <name>', `${what}: webgpu (a GPU, else a software driver), wasm (WebAssembly SIMD), lifted (word-machine code as WebAssembly), word-machine (the reference, slow), auto (a GPU if there is one, else wasm)`)
    .choices([...EXECUTOR_NAMES]).default('auto');

/** `--watcher-executor`. */
export const watcherExecutorOption = (): Option =>
  new Option('--watcher-executor <name>', 'what the watcher runs it on').choices([...EXECUTOR_NAMES]);

/** `--input`: what goes into the model. */
export const inputOption = (): Option =>
  new Option('--input <file>', 'the input as the original model takes it: UTF-8 text for a text model, little-endian float32 numbers in row-major order for one that takes numbers; - is standard input').argParser(path).makeOptionMandatory();

/** Parses a path, for commander. */
export function path(value: string): string {
  if (value === '') throw new InvalidArgumentError('Expected a path.');
  return value;
}

/** Parses a whole number in a range, for commander. */
export function wholeNumber(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < low || number > high) throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    return number;
  };
}

/** Examples, below a command's help. */
export const withExamples = (command: Command, ...examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
