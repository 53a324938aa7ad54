import { hexToBytes } from '@noble/hashes/utils.js';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { GenerationSettings } from '../../kernels/language-model/interface.ts';
import { UserError } from '../errors.ts';
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
  new Option('--input <file>', 'the input as the original model takes it: UTF-8 text for a text or language model, little-endian float32 numbers in row-major order for one that takes numbers; - is standard input').argParser(path);

/** `--prompt`: the same, on the command line. */
export const promptOption = (): Option => new Option('--prompt <text>', 'the input of a text or language model, itself').conflicts('input');

/** Adds options to a command. */
export const addOptions = (command: Command, options: readonly Option[]): Command => options.reduce((all, option) => all.addOption(option), command);

/** How a language model is to answer. */
export interface GenerationFlags { readonly maxTokens?: number; readonly temperature?: number; readonly topK?: number; readonly topP?: number }

/** `--max-tokens`, `--temperature`, `--top-k`, `--top-p`. */
export const generationOptions = (): readonly Option[] => [
  new Option('--max-tokens <count>', 'language models: longest answer; the model\'s own limit otherwise').argParser(wholeNumber(1, 2 ** 31 - 1)),
  new Option('--temperature <number>', 'language models: how evenly the next token is drawn; 0, as without it, always takes the likeliest').argParser(realNumber(0, 100)),
  new Option('--top-k <count>', 'with a temperature: choose among so many of the likeliest tokens').argParser(wholeNumber(1, 2 ** 31 - 1)),
  new Option('--top-p <probability>', 'with a temperature: choose among the likeliest tokens that together have this probability').argParser(realNumber(0, 1)),
];

/** `--seed`: what random choices are made from. */
export const seedOption = (): Option => new Option('--seed <seed>', 'what random choices are made from: a whole number, or 0x and 64 hex digits; 0 otherwise').argParser(parseSeed);

/** The settings that flags name; undefined when they name none. @throws UserError for choices that the likeliest token leaves nothing to */
export function settingsOf({ maxTokens, temperature, topK, topP }: GenerationFlags): GenerationSettings | undefined {
  if ((topK !== undefined || topP !== undefined) && (temperature === undefined || temperature === 0)) {
    throw new UserError('--top-k and --top-p mean nothing without a temperature: the likeliest token is always taken', { hint: 'give --temperature, e.g. 0.8' });
  }
  const settings: GenerationSettings = {
    ...(maxTokens === undefined ? {} : { maximumTokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

function parseSeed(text: string): Uint8Array {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return hexToBytes(text.slice(2));
  if (!/^\d{1,77}$/.test(text) || BigInt(text) >= 2n ** 256n) throw new InvalidArgumentError('Expected a whole number below 2^256, or 0x and 64 hex digits.');
  return hexToBytes(BigInt(text).toString(16).padStart(64, '0'));
}

/** Parses a number in a range, for commander. */
export function realNumber(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d*\.?\d+$/.test(value) || number < low || number > high) throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    return number;
  };
}

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
