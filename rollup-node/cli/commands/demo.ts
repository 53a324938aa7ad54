import { Command, Option } from 'commander';
import { SCENES } from '../../demo/scene.ts';
import type { Scene } from '../../demo/scene.ts';
import type { ExecutorName } from '../../executors.ts';
import { executorOption, path, watcherExecutorOption, wholeNumber, withExamples } from '../options.ts';

export interface DemoFlags {
  readonly scene: Scene | 'all';
  readonly story?: boolean;
  readonly model?: string;
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
    .addOption(new Option('--scene <name>', 'which scene').choices([...SCENES, 'all']).default('all'))
    .addOption(new Option('--story', 'a contract asks a language model to continue a story, and is called back with the text'))
    .addOption(new Option('--model <file>', 'with --story: another language model than the embedded one, as a bundle or as assay import takes it').argParser(path))
    .addOption(new Option('--text <text>', 'what is posted in the forum, or how the story begins; every scene has a text of its own otherwise'))
    .addOption(new Option('--seed <n>', 'chooses the place of the lie').argParser(wholeNumber(0, 2 ** 32)).default(1))
    .addOption(executorOption('what the sequencer runs the model on').default('webgpu'))
    .addOption(watcherExecutorOption().default('wasm'))
    .action(async (flags: DemoFlags, self: Command) => (await import('../actions/demo.ts')).playDemo({ ...flags, verbose: self.optsWithGlobals<DemoFlags>().verbose === true }));
  return withExamples(command, 'npm run demo', 'npm run demo -- --scene lie --seed 7', 'npm run demo -- --story --scene honest --text "Once upon a time, a brave"', 'npm run demo -- --scene honest --text "Tous les êtres humains naissent libres" --executor wasm')
    .addHelpText('after', '\n--verbose prints the nodes\' logs, too.');
}
