import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { describeError, ExitCode, exitCodeOf, UserError } from '../errors.ts';
import { harmless } from '../harmless.ts';
import { isInterrupted } from './interrupt.ts';
import { clearStatus } from './status.ts';

/**
 * Runs a command line: parses the process's arguments, runs the command's action, and turns whatever is thrown into one line on standard
 * error and an exit code. `--verbose` may stand before or behind the command's name, and adds stack traces.
 * @param invocation how a user calls it, for hints at its help
 */
export async function execute(program: Command, invocation = program.name()): Promise<void> {
  let verbose = false;
  prepare(program, invocation);
  program.hook('preAction', (_, command) => { verbose = command.optsWithGlobals().verbose === true; });
  const fail = (error: unknown): number => report(program.name(), error, verbose);
  process.on('uncaughtException', (error) => process.exit(fail(error)));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : fail(outputError(error))));
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = fail(error);
  } finally {
    clearStatus();
  }
}

/** Makes a command and those below it throw instead of printing and exiting. */
function prepare(command: Command, path: string): void {
  command.configureOutput({ outputError: () => undefined });
  command.exitOverride((error) => {
    if (error.exitCode === 0 || error.code === 'commander.help') throw error;
    throw new UserError(oneLine(error.message), { hint: `${path} --help says what it takes` });
  });
  command.option('--verbose', 'print stack traces of errors');
  for (const child of command.commands) prepare(child, `${path} ${child.name()}`);
}

function report(name: string, error: unknown, verbose: boolean): number {
  clearStatus();
  if (isInterrupted()) return 130;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
  console.error(harmless(`${name}: ${describeError(error)}`));
  if (verbose && error instanceof Error) console.error(error);
  return exitCodeOf(error);
}

const outputError = (cause: NodeJS.ErrnoException): UserError =>
  new UserError(`cannot write to standard output: ${cause.message}`, { exitCode: ExitCode.storage, cause });

/** Commander's message without its prefix, and with the suggestion that it puts on a line of its own. */
const oneLine = (message: string): string => message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
