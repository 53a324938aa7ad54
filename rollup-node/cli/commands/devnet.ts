import { Command, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { LOG_LEVELS } from '../../log.ts';
import type { LogLevel } from '../../log.ts';
import { executorOption, jsonOption, watcherExecutorOption, wholeNumber, withExamples } from '../options.ts';

export interface DevnetFlags {
  readonly port?: number;
  readonly apiPort: number;
  readonly window: number;
  readonly executor: ExecutorName;
  readonly watcherExecutor: ExecutorName;
  readonly model: readonly string[];
  readonly dataDirectory?: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** `assay devnet`: a whole rollup on this machine. */
export function devnetCommand(): Command {
  const command = new Command('devnet')
    .description('start a chain with the contracts, the embedded model, a sequencer and a watcher; runs until Ctrl-C')
    .addOption(new Option('--port <n>', 'the chain\'s port; any free one otherwise').argParser(wholeNumber(0, 65_535)))
    .addOption(new Option('--api-port <n>', 'the sequencer\'s HTTP API; 0 takes any free port').argParser(wholeNumber(0, 65_535)).default(8_645))
    .addOption(new Option('--window <seconds>', 'in which an assertion can be challenged').argParser(wholeNumber(1, 10_000_000)).default(30))
    .addOption(executorOption('what the sequencer runs models on'))
    .addOption(watcherExecutorOption().default('lifted'))
    .addOption(new Option('--model <bundle>', 'a further model; may be given several times').argParser((value: string, before: string[]) => [...before, value]).default([], 'none'))
    .addOption(new Option('--data-directory <folder>', 'where the nodes\' stores are; a temporary folder otherwise'))
    .addOption(new Option('--log-level <level>', 'what the nodes log').choices([...LOG_LEVELS]).default('info'))
    .addOption(jsonOption())
    .action(async (flags: DevnetFlags) => (await import('../actions/devnet.ts')).runDevnet(flags));
  return withExamples(command, 'assay devnet', 'assay devnet --port 8545 --window 10 --model mnist --log-level warn');
}
