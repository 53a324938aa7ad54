import { Command, Option } from 'commander';
import { STORIES } from '../../demo/story.ts';
import type { Story } from '../../demo/story.ts';
import type { ExecutorName } from '../../executors.ts';
import { executorOption, watcherExecutorOption, wholeNumber, withExamples } from '../options.ts';

export interface DemoFlags {
  readonly story: Story | 'all';
  readonly text?: string;
  readonly seed: number;
  readonly executor: ExecutorName;
  readonly watcherExecutor: ExecutorName;
  readonly verbose?: boolean;
}

/** `assay demo`, which is `npm run demo`. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .description('Assay, once through, on a chain of its own: a contract asks the language detector lande, and is called back; a lie about a result is disputed down to one instruction; an attack on a right result fails')
    .addOption(new Option('--story <name>', 'which story').choices([...STORIES, 'all']).default('all'))
    .addOption(new Option('--text <text>', 'what is posted in the forum; every story has a text of its own otherwise'))
    .addOption(new Option('--seed <n>', 'chooses the place of the lie').argParser(wholeNumber(0, 2 ** 32)).default(1))
    .addOption(executorOption('what the sequencer runs the model on').default('webgpu'))
    .addOption(watcherExecutorOption().default('wasm'))
    .action(async (flags: DemoFlags, self: Command) => (await import('../actions/demo.ts')).playDemo({ ...flags, verbose: self.optsWithGlobals<DemoFlags>().verbose === true }));
  return withExamples(command, 'npm run demo', 'npm run demo -- --story lie --seed 7', 'npm run demo -- --story honest --text "Tous les êtres humains naissent libres" --executor wasm')
    .addHelpText('after', '\n--verbose prints the nodes\' logs, too.');
}
