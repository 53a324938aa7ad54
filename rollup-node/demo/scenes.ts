import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { tellDisputedStep } from './disputed-step.ts';
import { challengeSeconds } from './stage.ts';
import type { Stage } from './stage.ts';

export interface SceneOptions {
  /** What the dApp is given; each scene has a text of its own by default. */
  readonly text?: string;
  /** Chooses where the liar lies. */
  readonly seed: bigint;
  /** For liars and for looking at disputed steps. */
  readonly executor: Executor;
}

/** The dApp asks the model, and is called back when the result is final. */
export async function tellHonest(stage: Stage, { text = stage.dApp.texts.honest }: SceneOptions): Promise<void> {
  begin(stage, 'Scene one: an honest answer', `The result is asserted at once, and final after ${challengeSeconds(stage)} seconds without a challenge.`);
  const requestId = await stage.ask(text);
  await stage.settled(stage.devnet.sequencer, requestId);
}

/** A sequencer lies about a result; a watcher that knows the chain and the model's files alone finds out and wins. */
export async function tellLie(stage: Stage, { text = stage.dApp.texts.lie, seed, executor }: SceneOptions): Promise<void> {
  begin(stage, 'Scene two: a lie', 'A sequencer changes one word or register deep inside the inference, computes on from there, and asserts what comes out.');
  const watcher = stage.devnet.watcher;
  if (watcher === null) throw new Error('this scene needs a watcher');
  await stage.devnet.sequencer.stop();
  const liar = await stage.devnet.addNode({
    name: 'liar', roles: { sequence: { size: 1, delay: 0 } }, executor, accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(seed),
  });
  const requestId = await stage.ask(text);
  await stage.settled(watcher, requestId);
  await liar.stop();
  await tellDisputedStep(stage, watcher, requestId, executor);
}

/** Somebody challenges a right result, and loses. */
export async function tellAttack(stage: Stage, { text = stage.dApp.texts.attack, seed, executor }: SceneOptions): Promise<void> {
  begin(stage, 'The mirror image: an attack on a right result', 'A challenger attacks a right result with a run of its own that is wrong somewhere inside, and asserts what comes out of that.');
  await stage.devnet.sequencer.stop();
  const honest = await stage.devnet.addNode({ name: 'sequencer-again', roles: { sequence: { size: 1, delay: 0 } }, executor, accountIndex: DEVNET_ACCOUNTS.sequencer });
  const attacker = await stage.devnet.addNode({ name: 'attacker', roles: { watch: true }, executor, accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(seed + 1n) });
  const requestId = await stage.ask(text);
  await stage.settled(honest, requestId);
  await attacker.stop();
  await tellDisputedStep(stage, honest, requestId, executor);
  await honest.stop();
}

function begin(stage: Stage, title: string, explanation: string): void {
  stage.print('');
  stage.print(title);
  stage.print(`  ${explanation}`);
  stage.timeline.restart();
}
