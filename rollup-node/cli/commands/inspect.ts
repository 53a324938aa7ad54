import { Command } from 'commander';
import { jsonOption, withExamples } from '../options.ts';

export interface InspectFlags { readonly json?: boolean }

/** `assay inspect <bundle>`: checks a bundle and says what it holds. */
export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('check a bundle against its model id, and say what it holds')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(jsonOption())
    .action(async (directory: string, flags: InspectFlags) => (await import('../actions/inspect.ts')).inspectBundle(directory, flags));
  return withExamples(command, 'assay inspect lande', 'assay inspect lande --json');
}
