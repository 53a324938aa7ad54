import { Command } from 'commander';
import { createLogger } from '../../log.ts';
import { runService, shutdownSignal } from '../../service.ts';
import { addConfigOptions, configOf } from '../config-options.ts';

/** `assay watch`: a watcher. */
export function watchCommand(): Command {
  return addConfigOptions(new Command('watch').description('run a watcher: checks every assertion, disputes wrong ones, and asserts the right results instead'))
    .action(async (flags: Record<string, unknown>) => {
      const config = await configOf(flags);
      const log = createLogger({ level: config.logLevel, format: config.logFormat });
      await runService(config, { watch: true }, log, shutdownSignal());
    });
}
