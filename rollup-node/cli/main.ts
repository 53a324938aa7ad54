import { Command, CommanderError } from 'commander';
import { describeError, ExitCode, exitCodeOf } from '../errors.ts';
import { devnetCommand } from './commands/devnet.ts';
import { disputeCommand } from './commands/dispute.ts';
import { importCommand } from './commands/import.ts';
import { inspectCommand } from './commands/inspect.ts';
import { nodeCommand } from './commands/node.ts';
import { requestCommand } from './commands/request.ts';
import { runCommand } from './commands/run.ts';
import { watchCommand } from './commands/watch.ts';

const program = new Command('assay')
  .description('Assay: an optimistic rollup for neural-network inference, disputed down to one machine instruction.')
  .option('--verbose', 'print stack traces of errors')
  .showHelpAfterError('(assay --help lists the commands)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

for (const command of [importCommand, inspectCommand, runCommand, disputeCommand, devnetCommand, nodeCommand, watchCommand, requestCommand]) {
  program.addCommand(command().exitOverride());
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
  console.error(`assay: ${describeError(error)}`);
  if (program.opts<{ verbose?: boolean }>().verbose === true && error instanceof Error) console.error(error.stack);
  return exitCodeOf(error);
}
