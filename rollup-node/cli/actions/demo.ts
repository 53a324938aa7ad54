import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLE_FILES } from '../../../deterministic-runtime/bundle/format.ts';
import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { byteLength } from '../../../deterministic-runtime/program/tensor.ts';
import { buildLande } from '../../../kernels/models/lande/program.ts';
import type { DApp } from '../../demo/dapp.ts';
import { FORUM } from '../../demo/forum.ts';
import { SCENES } from '../../demo/scene.ts';
import type { Scene } from '../../demo/scene.ts';
import { tellAttack, tellHonest, tellLie } from '../../demo/scenes.ts';
import type { SceneOptions } from '../../demo/scenes.ts';
import { openStage } from '../../demo/stage.ts';
import { STORYBOOK } from '../../demo/storybook.ts';
import { UserError } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { createLogger, silentLogger } from '../../log.ts';
import { importModelFile } from '../../model-import.ts';
import { readModelInput } from '../../model-values.ts';
import { createClosing } from '../../shutdown.ts';
import { loadStorytellerModel } from '../../storyteller-files.ts';
import { openBundle } from '../bundles.ts';
import type { DemoFlags } from '../commands/demo.ts';
import { openUntilInterrupted } from '../interrupt.ts';
import { clearStatus, showStatus } from '../status.ts';

const TELL: Readonly<Record<Scene, typeof tellHonest>> = { honest: tellHonest, lie: tellLie, attack: tellAttack };

/** Plays the demo's scenes, and ends everything that it started. @throws UserError */
export async function playDemo(flags: DemoFlags): Promise<void> {
  const begun = performance.now();
  const print = (line: string): void => console.log(line);
  const log = flags.verbose === true ? createLogger({ level: 'debug' }) : silentLogger();
  showStatus('reading the model');
  const { model, dApp } = await chooseModel(flags);
  if (flags.text !== undefined) readModelInput(model, new TextEncoder().encode(flags.text));
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
    const stage = await open(openStage({ model, dApp, sequencerExecutor, watcherExecutor, log, print }), (opened) => opened.close());
    clearStatus();
    const bytes = model.program.constants.reduce((sum, shape) => sum + byteLength(shape), 0);
    print(`chain at ${stage.devnet.url}, model ${stage.model.modelId} (${bytes.toLocaleString('en')} bytes of weights and tables)`);
    print(`${model.program.signature} is a function of the contract ${stage.model.contract}`);
    const options: SceneOptions = { seed: BigInt(flags.seed), executor, ...(flags.text === undefined ? {} : { text: flags.text }) };
    for (const scene of SCENES) if (flags.scene === 'all' || flags.scene === scene) await TELL[scene](stage, options);
    await closing.close();
    const gas = stage.timeline.told.reduce((sum, transaction) => sum + transaction.gas, 0n);
    print('');
    print(`${stage.timeline.told.length} transactions, ${gas.toLocaleString('en')} gas, ${((performance.now() - begun) / 1_000).toFixed(1)} seconds in all.`);
  } finally {
    await closing.close();
  }
}

async function chooseModel({ story, model: file }: DemoFlags): Promise<{ readonly model: Model; readonly dApp: DApp }> {
  if (story !== true) {
    if (file !== undefined) throw new UserError('--model is for the story: give --story, too');
    return { model: buildLande(await loadLandePackage()), dApp: FORUM };
  }
  const model = file === undefined ? await loadStorytellerModel() : await readLanguageModel(file);
  return { model, dApp: STORYBOOK };
}

async function readLanguageModel(file: string): Promise<Model> {
  const isBundle = await stat(join(file, BUNDLE_FILES.manifest)).then((status) => status.isFile(), () => false);
  const model = isBundle ? (await openBundle(file)).model : (await importModelFile(file, {})).model;
  if (!/->\((string|int32\[\])\)$/.test(model.program.signature) || model.program.body.length === 0) throw new UserError(`${file} is no language model`, { hint: 'name a GGUF file, a folder with safetensors, or the bundle of one' });
  return model;
}
