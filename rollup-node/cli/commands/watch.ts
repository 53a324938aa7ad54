import { Command } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import { withExamples } from '../options.ts';

/** `assay watch`: a watcher. */
export function watchCommand(): Command {
  const command = addConfigOptions(new Command('watch').description('run a watcher: checks every assertion, disputes wrong ones, and asserts the right results instead; until Ctrl-C'))
    .action(async (flags: Record<string, unknown>) => (await import('../actions/serve.ts')).serve(flags, 'watch'));
  return withExamples(command, 'assay watch --rpc-url http://127.0.0.1:8545 --assertions 0x… --models lande --key-file key.hex --api-port 8646', 'assay watch --config watcher.json', 'assay watch --config watcher.json --rpc-url https://a…,https://b…,https://c… --dry-run');
}
