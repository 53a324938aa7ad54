import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { demoCommand } from './commands/demo.ts';
import { devnetCommand } from './commands/devnet.ts';
import { disputeCommand } from './commands/dispute.ts';
import { disputesCommand } from './commands/disputes.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { explainCommand } from './commands/explain.ts';
import { importCommand } from './commands/import.ts';
import { inspectCommand } from './commands/inspect.ts';
import { nodeCommand } from './commands/node.ts';
import { registerCommand } from './commands/register.ts';
import { requestCommand } from './commands/request.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { watchCommand } from './commands/watch.ts';
import { withExamples } from './options.ts';

const COMMANDS = [importCommand, inspectCommand, evaluateCommand, runCommand, disputeCommand, registerCommand, requestCommand, nodeCommand, watchCommand, statusCommand, disputesCommand, explainCommand, devnetCommand, demoCommand];

/** The `assay` command line. What commands do is loaded when they are run: help and mistakes are answered at once. */
export function createProgram(): Command {
  const program = new Command('assay')
    .description('Assay: an optimistic rollup for neural-network inference, disputed down to one machine instruction.')
    .version(version(), '--version', 'print the version');
  for (const command of COMMANDS) program.addCommand(command());
  return withExamples(program, 'assay import npm:lande --out lande', 'echo "Alle Menschen sind frei" | assay run lande --input -', 'assay demo')
    .addHelpText('after', '\nExit codes: 0 done, 1 failure, 2 wrong arguments or files, 3 chain, 4 disk, 5 files that do not match a model\'s id.');
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return text;
}
