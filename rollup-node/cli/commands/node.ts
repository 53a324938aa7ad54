import { Command } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import { withExamples } from '../options.ts';

/** `assay node`: a sequencer. */
export function nodeCommand(): Command {
  const command = addConfigOptions(new Command('node').description('run a sequencer: answers requests, posts assertions, defends and delivers them; until Ctrl-C'))
    .action(async (flags: Record<string, unknown>) => (await import('../actions/serve.ts')).serve(flags, 'sequence'));
  return withExamples(command, 'assay node --rpc-url http://127.0.0.1:8545 --assertions 0x… --models lande,mnist --key-file key.hex', 'assay node --config sequencer.json --log-format json');
}
