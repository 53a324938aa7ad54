import { Command } from 'commander';
import { runService } from '../../service.ts';
import { shutdownSignal } from '../../shutdown.ts';
import { addConfigOptions, configOf } from '../config-options.ts';

/** `assay node`: a sequencer. */
export function nodeCommand(): Command {
  return addConfigOptions(new Command('node').description('run a sequencer: answers requests, posts assertions, defends and delivers them'))
    .action(async (flags: Record<string, unknown>) => {
      await runService(await configOf(flags), { sequence: true, watch: false, signal: shutdownSignal() });
    });
}
