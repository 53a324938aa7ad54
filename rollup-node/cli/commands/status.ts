import { Command, Option } from 'commander';
import { jsonOption, withExamples } from '../options.ts';

export interface StatusFlags { readonly apiUrl: string; readonly json?: boolean }

/** `assay status`: what a running node says of itself. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('ask a running node or watcher where it stands, and what is wrong; exit code 3 while it does not follow the chain')
    .addOption(new Option('--api-url <url>', 'where its HTTP API is').default('http://127.0.0.1:8645'))
    .addOption(jsonOption())
    .action(async (flags: StatusFlags) => (await import('../actions/status.ts')).showNodeStatus(flags));
  return withExamples(command, 'assay status', 'assay status --api-url http://127.0.0.1:8646 --json');
}
