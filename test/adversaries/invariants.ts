import { parseEventLogs, zeroHash } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { isRight, isTrueClaim } from './claims.ts';
import { isConfirmed, PHASE, phaseOf } from './phases.ts';
import { Broken, same } from './scene.ts';
import type { AssertionOnStage, Scene } from './scene.ts';
import { WEALTH } from './stage.ts';

/** Wei in the contracts. */
export interface Balances {
  readonly game: bigint;
  readonly assertions: bigint;
}

export async function balanceOfContracts({ stage }: Scene): Promise<Balances> {
  return { game: await stage.worthOf(stage.game), assertions: await stage.worthOf(stage.assertions) };
}

const holds = (condition: boolean, message: string): void => {
  if (!condition) throw new Broken(message);
};

/**
 * Checks a scene when all is over: docs/dispute.md, invariants 4, 6, 8 and 10, and that the honest party has lost nothing.
 * @returns wei that the attacker's accounts lost together, and wei that the honest party gained
 * @throws Broken
 */
export async function checkAfterwards(scene: Scene, before: Balances): Promise<{ loss: bigint; gain: bigint }> {
  const { stage, honest, games, assertions, accounts } = scene;
  for (const game of games) {
    holds(game.winner !== undefined && game.closed, 'a game did not end');
    if (!scene.plays(honest, game)) continue;
    holds(same(game.terms[game.winner!], honest), 'the honest party lost a game');
  }
  for (const assertion of assertions) await checkAssertion(scene, assertion);

  let loss = 0n;
  let left = 0n;
  for (const account of accounts) {
    const [worth, owed] = [await stage.worthOf(account), await scene.owed(account)];
    left += owed;
    if (account !== honest) loss += WEALTH - worth - owed;
  }
  holds((await scene.owed(honest)) === 0n, 'the honest party could not fetch its money');
  const gain = (await stage.worthOf(honest)) - WEALTH;
  holds(gain >= 0n, `the honest party lost ${-gain} wei`);
  holds(loss >= 0n, 'the attacker gained');
  const after = await balanceOfContracts(scene);
  const bondsBurnt = burntBonds(scene);
  holds(after.game - before.game + after.assertions - before.assertions === scene.burnt + bondsBurnt + left, `the contracts hold ${after.game - before.game + after.assertions - before.assertions} wei more, but ${scene.burnt + bondsBurnt} were burnt and ${left} are owed`);
  holds(loss === gain + scene.burnt + bondsBurnt, `the attacker lost ${loss} wei, but ${gain} were gained and ${scene.burnt + bondsBurnt} burnt`);
  holds(after.game - before.game >= scene.burnt && after.assertions - before.assertions >= bondsBurnt, 'a contract paid what it had burnt');
  return { loss, gain };
}

/** Nothing false is ever final, nor anything that builds on it; of what is true, an honest party's own instance is. */
async function checkAssertion(scene: Scene, assertion: AssertionOnStage): Promise<void> {
  const phase = await phaseOf(scene, assertion.id);
  const isTrue = isTrueClaim(scene, assertion.claim);
  const parentIsFinal = assertion.parent === zeroHash || (await isConfirmed(scene, assertion.parent));
  holds(phase !== PHASE.final || (isTrue && parentIsFinal), 'a list is final that is false, or builds on what is not final');
  holds(isTrue || !(await isConfirmed(scene, assertion.claim)), 'a false list, or one that builds on such a list, was confirmed');
  // What builds on a lie is right or wrong about nothing: it waits for ever.
  if (same(assertion.sponsor, scene.honest)) holds(phase === (isTrue ? PHASE.final : PHASE.waiting), "an honest party's assertion is not final, or was defeated");
  if (!isRight(scene, assertion)) holds(phase === PHASE.defeated || (phase === PHASE.waiting && !isTrueClaim(scene, assertion.parent)), 'a lie was not defeated');
}

/** Wei of bonds that nobody gets. */
function burntBonds({ sent }: Scene): bigint {
  return sent.flatMap(({ receipt: { logs } }) => parseEventLogs({ abi: resultAssertionsAbi, eventName: 'BondReleased', logs: logs as never }))
    .reduce((sum, { args }) => sum + args.burnt, 0n);
}
