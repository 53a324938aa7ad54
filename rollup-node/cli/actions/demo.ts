import { buildLande } from '../../../kernels/models/lande/program.ts';
import { openStage } from '../../demo/stage.ts';
import { joinForum, tellAttack, tellHonest, tellLie } from '../../demo/stories.ts';
import type { StoryOptions } from '../../demo/stories.ts';
import { STORIES } from '../../demo/story.ts';
import type { Story } from '../../demo/story.ts';
import { executorByName } from '../../executors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { createLogger, silentLogger } from '../../log.ts';
import { readModelInput } from '../../model-values.ts';
import { createClosing } from '../../shutdown.ts';
import type { DemoFlags } from '../commands/demo.ts';
import { openUntilInterrupted } from '../interrupt.ts';
import { clearStatus, showStatus } from '../status.ts';

const TELL: Readonly<Record<Story, typeof tellHonest>> = { honest: tellHonest, lie: tellLie, attack: tellAttack };

/** Plays the demo's stories, and ends everything that it started. @throws UserError */
export async function playDemo(flags: DemoFlags): Promise<void> {
  const begun = performance.now();
  const print = (line: string): void => console.log(line);
  const log = flags.verbose === true ? createLogger({ level: 'debug' }) : silentLogger();
  if (flags.text !== undefined) readModelInput(buildLande(await loadLandePackage()), new TextEncoder().encode(flags.text));
  const closing = createClosing();
  const open = openUntilInterrupted(closing);
  const openExecutor = (name: string): ReturnType<typeof executorByName> => open(executorByName(name), (opened) => opened.dispose());
  try {
    showStatus('opening executors');
    const sequencerExecutor = await openExecutor(flags.executor);
    const watcherExecutor = await openExecutor(flags.watcherExecutor);
    const executor = await openExecutor('wasm');
    clearStatus();
    print(`sequencer runs on ${sequencerExecutor.name} (${sequencerExecutor.adapter}), watcher on ${watcherExecutor.name} (${watcherExecutor.adapter})`);
    showStatus('starting a chain, and deploying the contracts');
    const stage = await open(openStage({ sequencerExecutor, watcherExecutor, log, print }), (opened) => opened.close());
    clearStatus();
    const { program: { signature }, constants } = stage.model.encoded.model;
    const bytes = constants.reduce((sum, words) => sum + words.length, 0);
    print(`chain at ${stage.devnet.url}, model ${stage.model.modelId} (${bytes.toLocaleString('en')} bytes of weights and tables)`);
    print(`${signature} is a function of the contract ${stage.model.contract}`);
    const options: StoryOptions = { seed: BigInt(flags.seed), executor, ...(flags.text === undefined ? {} : { text: flags.text }) };
    await joinForum(stage, 'Ada', 'eng');
    await joinForum(stage, 'Bert', 'deu');
    for (const story of STORIES) if (flags.story === 'all' || flags.story === story) await TELL[story](stage, options);
    await closing.close();
    const gas = stage.timeline.told.reduce((sum, transaction) => sum + transaction.gas, 0n);
    print('');
    print(`${stage.timeline.told.length} transactions, ${gas.toLocaleString('en')} gas, ${((performance.now() - begun) / 1_000).toFixed(1)} seconds in all.`);
  } finally {
    await closing.close();
  }
}
