import { Command } from 'commander';
import { runService } from '../../service.ts';
import { shutdownSignal } from '../../shutdown.ts';
import { addConfigOptions, configOf } from '../config-options.ts';

/** `assay watch`: a watcher. */
export function watchCommand(): Command {
  return addConfigOptions(new Command('watch').description('run a watcher: checks every assertion, disputes wrong ones, and asserts the right results instead'))
    .action(async (flags: Record<string, unknown>) => {
      await runService(await configOf(flags), { sequence: false, watch: true, signal: shutdownSignal() });
    });
}
