import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../rollup-node/cli/program.ts';
import { assay, refusal } from './assay.ts';

const commands = createProgram().commands;

/** All of a command's help, as it is printed. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => { text += part; } });
  command.outputHelp();
  return text;
}

describe('docs/cli.md', () => {
  const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const sections = new Map(text.split(/^## /m).slice(1).map((section) => [section.slice(0, section.indexOf('\n')), section]));
  const sectionOf = (name: string): string => [...sections].find(([heading]) => heading.split(', ').includes(name))?.[1] ?? '';

  test('has a section with an example for every command', () => {
    expect(commands.map((command) => command.name()).filter((name) => !new RegExp(`^\\$ .*(assay|npm run) ${name}\\b`, 'm').test(sectionOf(name)))).toEqual([]);
  });

  test('has every option of the commands about models, and no other', () => {
    for (const name of ['import', 'inspect', 'evaluate']) {
      const flags = commands.find((command) => command.name() === name)?.options.map(({ long }) => long ?? '') ?? [];
      expect(flags.filter((flag) => !['--json', '--verbose'].includes(flag) && !sectionOf(name).includes(flag)), name).toEqual([]);
      expect([...sectionOf(name).matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag).filter((flag) => !flags.includes(flag)), name).toEqual([]);
    }
  });
});

describe.concurrent('help', () => {
  test('lists every command', async () => {
    const { code, stdout, stderr } = await assay(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of ['import', 'inspect', 'evaluate', 'run', 'dispute', 'devnet', 'node', 'watch', 'register', 'request', 'demo']) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  test('every command explains its arguments and options, and shows examples', async () => {
    for (const command of commands) {
      expect(command.description()).not.toBe('');
      for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
      for (const option of command.options) expect(option.description).not.toBe('');
    }
    for (const command of commands) expect(helpOf(command), command.name()).toMatch(new RegExp(`\\nExamples:\\n  \\$ .*\\b(assay|npm run) ${command.name()}\\b`));
    expect(await assay(['run', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('\nExamples:\n') });
  });

  test('no command at all: help, and exit code 2', async () => {
    const { code, stdout, stderr } = await assay([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Commands:');
  });

  test('the version is the package\'s', async () => {
    expect(await assay(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  });
});

describe.concurrent('mistakes end with exit code 2 and one line', () => {
  test.each<[string, string[], RegExp]>([
    ['unknown command', ['inspct'], /unknown command 'inspct'.*Did you mean inspect/],
    ['unknown option', ['run', 'bundle', '--input', 'x', '--ouput', 'y'], /unknown option '--ouput'.*Did you mean --output/],
    ['missing argument', ['inspect'], /missing required argument 'bundle'/],
    ['missing option', ['import', 'model.onnx'], /required option '--out <bundle>' not specified/],
    ['no input', ['run', 'bundle'], /there is no input \(name a file with --input, .* or give a text with --prompt\)/],
    ['two inputs', ['dispute', 'bundle', '--input', 'x', '--prompt', 'y'], /'--prompt <text>' cannot be used with option '--input <file>'/],
    ['a choice among tokens that leaves none', ['run', 'bundle', '--prompt', 'x', '--top-p', '0.9'], /--top-k and --top-p mean nothing without a temperature.*give --temperature/],
    ['setting out of range', ['run', 'bundle', '--prompt', 'x', '--temperature', '101'], /'101' is invalid\. Expected a number from 0 to 100/],
    ['too many arguments', ['inspect', 'a', 'b'], /too many arguments/],
    ['unknown executor', ['run', 'bundle', '--input', 'x', '--executor', 'gpu'], /'gpu' is invalid.*auto, webgpu, wasm/],
    ['number out of range', ['dispute', 'bundle', '--input', 'x', '--seed', '-1'], /'-1' is invalid.*whole number/],
    ['place of a fault', ['dispute', 'bundle', '--input', 'x', '--fault', 'conv'], /'conv' is invalid.*<operator>:<word>/],
    ['empty path', ['import', 'npm:lande', '--out', ''], /Expected a path/],
    ['private key as an argument', ['node', '--private-key', '0x12'], /unknown option '--private-key'/],
  ])('%s', (_, parameters, reason) => refusal(parameters, 2, reason));
});

describe.concurrent('--verbose adds the stack trace', () => {
  test.each([['before the command', ['--verbose', 'inspect', '/nowhere']], ['behind it', ['inspect', '/nowhere', '--verbose']]])('%s', async (_, parameters) => {
    const { code, stderr } = await assay(parameters);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^assay: \/nowhere does not exist.*\n.*\n\s+at /);
  });
});

test('the demo is a program of its own, too', async () => {
  const demo = commands.find((command) => command.name() === 'demo');
  expect(demo?.options.map(({ long }) => long)).toEqual(expect.arrayContaining(['--scene', '--story', '--model', '--text', '--seed', '--executor', '--watcher-executor']));
  await refusal(['demo', '--text', 'a'.repeat(2_000)], 2, /2002 bytes of UTF-8 and the model reads 1024/);
});
