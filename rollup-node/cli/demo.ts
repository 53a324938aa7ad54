import { Command, CommanderError, Option } from 'commander';
import { joinForum, STORIES, tellAttack, tellHonest, tellLie } from '../demo/stories.ts';
import type { Story, StoryOptions } from '../demo/stories.ts';
import { openStage } from '../demo/stage.ts';
import { describeError, ExitCode, exitCodeOf } from '../errors.ts';
import { executorByName } from '../executors.ts';
import type { ExecutorName } from '../executors.ts';
import { createLogger, silentLogger } from '../log.ts';
import { executorOption, wholeNumber } from './options.ts';

interface DemoFlags {
  readonly story: Story | 'all';
  readonly text?: string;
  readonly seed: number;
  readonly executor: ExecutorName;
  readonly watcherExecutor: ExecutorName;
  readonly verbose?: boolean;
}

const TELL: Readonly<Record<Story, typeof tellHonest>> = { honest: tellHonest, lie: tellLie, attack: tellAttack };

const program = new Command('npm run demo --')
  .description('Assay, once through, on a chain of its own: a contract asks the language detector lande, and is called back; a lie about a result is disputed down to one instruction; an attack on a right result fails.')
  .addOption(new Option('--story <name>', 'which story').choices([...STORIES, 'all']).default('all'))
  .option('--text <text>', 'what is posted in the forum; every story has a text of its own otherwise')
  .addOption(new Option('--seed <n>', 'chooses the place of the lie').argParser(wholeNumber(0, 2 ** 32)).default(1))
  .addOption(executorOption().default('webgpu'))
  .addOption(new Option('--watcher-executor <name>', 'the watcher\'s').choices(['wasm', 'lifted', 'webgpu', 'word-machine']).default('wasm'))
  .option('--verbose', 'print the nodes\' logs, and stack traces of errors')
  .exitOverride();

try {
  await program.parseAsync();
  await demo(program.opts<DemoFlags>());
} catch (error) {
  process.exitCode = report(error);
}

async function demo(flags: DemoFlags): Promise<void> {
  const begun = performance.now();
  const print = (line: string): void => console.log(line);
  const log = flags.verbose === true ? createLogger({ level: 'debug' }) : silentLogger();
  const sequencerExecutor = await executorByName(flags.executor);
  const watcherExecutor = await executorByName(flags.watcherExecutor);
  const executor = await executorByName('wasm');
  print(`sequencer runs on ${sequencerExecutor.name} (${sequencerExecutor.adapter}), watcher on ${watcherExecutor.name} (${watcherExecutor.adapter})`);
  const stage = await openStage({ sequencerExecutor, watcherExecutor, log, print });
  const stop = (): void => void stage.close().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { program: { signature }, constants } = stage.model.encoded.model;
    const bytes = constants.reduce((sum, words) => sum + words.length, 0);
    print(`chain at ${stage.devnet.url}, model ${stage.model.modelId} (${bytes.toLocaleString('en')} bytes of weights and tables)`);
    print(`${signature} is a function of the contract ${stage.model.contract}`);
    const options: StoryOptions = { seed: BigInt(flags.seed), executor, ...(flags.text === undefined ? {} : { text: flags.text }) };
    await joinForum(stage, 'Ada', 'eng');
    await joinForum(stage, 'Bert', 'deu');
    for (const story of STORIES) if (flags.story === 'all' || flags.story === story) await TELL[story](stage, options);
  } finally {
    await stage.close();
    await Promise.all([sequencerExecutor, watcherExecutor, executor].map((one) => one.dispose()));
  }
  const gas = stage.timeline.told.reduce((sum, transaction) => sum + transaction.gas, 0n);
  print('');
  print(`${stage.timeline.told.length} transactions, ${gas.toLocaleString('en')} gas, ${((performance.now() - begun) / 1_000).toFixed(1)} seconds in all.`);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
  console.error(`demo: ${describeError(error)}`);
  if (program.opts<DemoFlags>().verbose === true && error instanceof Error) console.error(error.stack);
  return exitCodeOf(error);
}
