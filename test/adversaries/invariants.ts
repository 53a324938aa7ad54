import { decodeFunctionResult, encodeFunctionData, parseEventLogs } from 'viem';
import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { Broken, same } from './scene.ts';
import type { Scene } from './scene.ts';
import { WEALTH } from './stage.ts';

/** `AssertionPhase`. */
const FINAL = 4;
const DEFEATED = 5;

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
  for (const assertion of assertions) {
    const phase = await phaseOf(scene, assertion.id);
    if (same(assertion.sponsor, honest)) holds(phase === FINAL, "an honest party's assertion is not final");
    const lies = assertion.requestIds.some((id, entry) => id === scene.asked.requestId && assertion.outputCommitments[entry] !== scene.truth.output);
    if (lies) holds(phase === DEFEATED, 'a lie was not defeated');
  }

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

async function phaseOf({ stage }: Scene, id: Hex): Promise<number> {
  const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'phase', args: [id] });
  return decodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'phase', data: await stage.read(stage.assertions, data) });
}

/** Wei of bonds that nobody gets. */
function burntBonds({ sent }: Scene): bigint {
  return sent.flatMap(({ receipt: { logs } }) => parseEventLogs({ abi: resultAssertionsAbi, eventName: 'BondReleased', logs: logs as never }))
    .reduce((sum, { args }) => sum + args.burnt, 0n);
}
