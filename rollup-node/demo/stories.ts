import { forumAbi } from '../../contracts/abi/generated.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { tellDisputedStep } from './disputed-step.ts';
import { challengeSeconds, MEMBERS } from './stage.ts';
import type { Stage } from './stage.ts';

export interface StoryOptions {
  /** What is posted in the forum; each story has a text of its own by default. */
  readonly text?: string;
  /** Chooses where the liar lies. */
  readonly seed: bigint;
  /** For liars and for looking at disputed steps. */
  readonly executor: Executor;
}

/** A member joins the forum, so that posts in its language are admitted. */
export async function joinForum({ devnet, forum }: Stage, member: keyof typeof MEMBERS, language: string): Promise<void> {
  const wallet = devnet.wallet(MEMBERS[member]);
  const hash = await wallet.writeContract({ address: forum, abi: forumAbi, functionName: 'join', args: [language] });
  await devnet.client.waitForTransactionReceipt({ hash });
}

/** A post is checked for its language, and published when the result is final. */
export async function tellHonest(stage: Stage, { text = 'All human beings are born free and equal in dignity and rights.' }: StoryOptions): Promise<void> {
  begin(stage, 'Story one: an honest answer', `The result is asserted at once, and final after ${challengeSeconds(stage)} seconds without a challenge.`);
  const postId = await stage.post(text);
  await stage.settled(stage.devnet.sequencer, postId);
}

/** A sequencer lies about a result; a watcher that knows the chain and the model's files alone finds out and wins. */
export async function tellLie(stage: Stage, { text = 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.', seed, executor }: StoryOptions): Promise<void> {
  begin(stage, 'Story two: a lie', 'A sequencer changes one word or register deep inside the inference, computes on from there, and asserts what comes out.');
  const watcher = stage.devnet.watcher;
  if (watcher === null) throw new Error('this story needs a watcher');
  await stage.devnet.sequencer.stop();
  const liar = await stage.devnet.addNode({
    name: 'liar', roles: { sequence: { size: 1, delay: 0 } }, executor, accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(seed),
  });
  const postId = await stage.post(text);
  await stage.settled(watcher, postId);
  await liar.stop();
  await tellDisputedStep(stage, watcher, postId, executor);
}

/** Somebody challenges a right result, and loses. */
export async function tellAttack(stage: Stage, { text = 'Tous les êtres humains naissent libres et égaux en dignité et en droits.', seed, executor }: StoryOptions): Promise<void> {
  begin(stage, 'The mirror image: an attack on a right result', 'A challenger attacks a right result with a run of its own that is wrong somewhere inside, and asserts what comes out of that.');
  await stage.devnet.sequencer.stop();
  const honest = await stage.devnet.addNode({ name: 'sequencer-again', roles: { sequence: { size: 1, delay: 0 } }, executor, accountIndex: DEVNET_ACCOUNTS.sequencer });
  const attacker = await stage.devnet.addNode({ name: 'attacker', roles: { watch: true }, executor, accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(seed + 1n) });
  const postId = await stage.post(text);
  await stage.settled(honest, postId);
  await attacker.stop();
  await tellDisputedStep(stage, honest, postId, executor);
  await honest.stop();
}

function begin(stage: Stage, title: string, explanation: string): void {
  stage.print('');
  stage.print(title);
  stage.print(`  ${explanation}`);
  stage.timeline.restart();
}
