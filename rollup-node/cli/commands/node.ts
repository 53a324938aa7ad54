import { Command } from 'commander';
import { createLogger } from '../../log.ts';
import { runService, shutdownSignal } from '../../service.ts';
import { addConfigOptions, configOf } from '../config-options.ts';

/** `assay node`: a sequencer. */
export function nodeCommand(): Command {
  return addConfigOptions(new Command('node').description('run a sequencer: answers requests, posts assertions, defends and delivers them'))
    .action(async (flags: Record<string, unknown>) => {
      const config = await configOf(flags);
      const log = createLogger({ level: config.logLevel, format: config.logFormat });
      await runService(config, { sequence: { size: config.batchSize, delay: config.batchDelay } }, log, shutdownSignal());
    });
}
