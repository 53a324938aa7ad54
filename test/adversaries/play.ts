import { encodeFunctionData } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import { NothingToDisputeError } from '../../fraud-proof/dispute/player.ts';
import type { Action, Role } from '../../fraud-proof/dispute/player.ts';
import type { Adversary, Turn } from './adversary.ts';
import type { Asked, Computation } from './inference.ts';
import { balanceOfContracts, checkAfterwards } from './invariants.ts';
import { bondRelease, confirmation, isConfirmed, PHASE, phaseOf } from './phases.ts';
import { Random } from './random.ts';
import { Broken, same, Scene } from './scene.ts';
import type { GameOnStage } from './scene.ts';
import type { Stage } from './stage.ts';

/** What came of one adversary against the honest party. */
export interface Outcome {
  readonly adversary: string;
  /** The attacker's. */
  readonly role: Role;
  readonly model: string;
  /** Games that the honest party was in, and those that it won. */
  readonly games: number;
  readonly won: number;
  /** Gas of the honest party's transactions in disputes. */
  readonly gas: bigint;
  /** Wei that all of the attacker's accounts together lost. */
  readonly loss: bigint;
  /** Wei that the honest party had more in the end, gas aside. */
  readonly gain: bigint;
}

export interface GameChoice {
  readonly adversary: Adversary;
  /** The attacker's. */
  readonly role: Role;
  readonly asked: Asked;
  readonly seed: bigint;
}

/** An action comes again and again without effect in a round: the game does not move. */
const MOST_ROUNDS = 400;

/**
 * Plays one adversary against the honest party to the end, bonds and stakes fetched.
 * @throws Broken when the honest side is harmed, or a contract lets something pass that it should not
 */
export async function playGame(stage: Stage, { adversary, role, asked, seed }: GameChoice): Promise<Outcome> {
  const random = new Random(seed);
  const honestRole: Role = role === 'asserter' ? 'challenger' : 'asserter';
  const scene = await Scene.open(stage, asked, random, honestRole, adversary.code);
  scene.honestCarrier = adversary.honestCarrier ?? 'calldata';
  const { pending } = adversary;
  if (pending !== undefined) scene.pending = (transaction, game) => pending(scene, transaction, game);
  const before = await balanceOfContracts(scene);

  const lie = await (adversary.lie?.(scene) ?? randomLie(scene));
  if (adversary.begin === undefined) await begin(scene, adversary, lie);
  else await adversary.begin(scene, lie);
  await playOut(scene, adversary, lie);
  await adversary.after?.(scene);
  await settle(scene);
  const { loss, gain } = await checkAfterwards(scene, before);
  const played = scene.games.filter((game) => scene.plays(scene.honest, game));
  const won = played.filter(({ terms, winner }) => winner !== undefined && same(terms[winner], scene.honest));
  return { adversary: adversary.name, role, model: asked.inference.model, games: played.length, won: won.length, gas: scene.honestGas, loss, gain };
}

/** A run with a fault, or states that no run has. */
export async function randomLie({ asked: { inference }, random }: Scene): Promise<Computation> {
  if (random.below(2) === 0) return inference.consistentLie(random);
  return inference.splicedLie(random.big(inference.steps), random, random.one(['output', 'output', 'failed', 'running'] as const));
}

/** One assertion and one challenge, the lie on one side. */
export async function begin(scene: Scene, adversary: Adversary, lie: Computation): Promise<void> {
  const { honest, attacker, honestRole, truth } = scene;
  if (honestRole === 'asserter') await scene.challenge(attacker, await scene.assert(honest, truth.output), lie, adversary.carrier);
  else await scene.challenge(honest, await scene.assert(attacker, lie.output), truth, scene.honestCarrier);
}

const isOpen = ({ winner }: GameOnStage): boolean => winner === undefined;

/** Moves of both sides until all games are over. The honest party moves wherever it has the turn before the attacker lets time pass in another game. */
export async function playOut(scene: Scene, adversary: Adversary, lie: Computation): Promise<void> {
  const silent = new Set<GameOnStage>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let moved = await honestTurns(scene, adversary, silent);
    for (const game of scene.games.filter(isOpen)) {
      if (!isOpen(game) || silent.has(game)) continue;
      const { moves } = game;
      await attackersTurn(scene, adversary, game, scene.turnOf(game), lie);
      if (game.moves !== moves || !isOpen(game)) moved = true;
      else silent.add(game);
      await honestTurns(scene, adversary, silent);
    }
    if (!scene.games.some(isOpen)) return;
    if (!moved) await runOut(scene);
  }
  throw new Error('the games did not end');
}

/** Says whether there was one. */
async function honestTurns(scene: Scene, adversary: Adversary, silent: Set<GameOnStage>): Promise<boolean> {
  const due = scene.games.filter((game) => isOpen(game) && same(scene.moverOf(game), scene.honest));
  for (const game of due) {
    if (!isOpen(game)) continue;
    await honestTurn(scene, adversary, game);
    silent.delete(game);
  }
  return due.length > 0;
}

async function honestTurn(scene: Scene, adversary: Adversary, game: GameOnStage): Promise<void> {
  const action = await scene.actionOf(game, scene.truth, scene.honestCarrier);
  if (action === null) throw new Error('the honest party has the turn but no move');
  await scene.sendHonest(scene.transactionOf(game, action), game);
  await adversary.landed?.(scene, scene.sent.at(-1)!);
}

async function attackersTurn(scene: Scene, adversary: Adversary, game: GameOnStage, role: Role, lie: Computation): Promise<void> {
  const usual = async (): Promise<Action | null> => {
    try {
      return await scene.actionOf(game, lie, adversary.carrier);
    } catch (error) {
      if (error instanceof NothingToDisputeError) return null;
      throw error;
    }
  };
  const play = async (action: Action): Promise<boolean> => (await scene.send({ from: game.terms[role], ...scene.transactionOf(game, action) }, game)).success;
  const playUsual = async (): Promise<boolean> => {
    const action = await usual();
    return action !== null && play(action);
  };
  const turn: Turn = { scene, game, role, lie, usual, play, playUsual };
  if (adversary.turn !== undefined) await adversary.turn(turn);
  else if (scene.plays(scene.honest, game)) await playUsual();
}

/** Nobody moves any more: the clock of the game that is over first runs out, and the honest party says so. */
async function runOut(scene: Scene): Promise<void> {
  const open = scene.games.filter(({ winner }) => winner === undefined);
  const deadlines = await Promise.all(open.map((game) => scene.deadline(game)));
  const first = deadlines.reduce((least, deadline) => (deadline < least ? deadline : least));
  if (scene.stage.time < first) scene.stage.time = first;
  for (const [index, game] of open.entries()) {
    if (deadlines[index]! > scene.stage.time || game.winner !== undefined) continue;
    if (scene.plays(scene.honest, game)) await scene.sendHonest(scene.random.below(2) === 0 ? scene.timeout(game) : scene.settlement(game), game, () => game.winner !== undefined);
    else await scene.send({ from: scene.accomplice, ...scene.timeout(game) }, game);
  }
}

/** Settles what is over, waits until nothing can be challenged, and fetches all money. */
async function settle(scene: Scene): Promise<void> {
  for (const game of scene.games) {
    if (game.closed) continue;
    if (scene.plays(scene.honest, game)) await scene.sendHonest(scene.settlement(game), game, () => game.closed);
    else await scene.send({ from: scene.accomplice, ...scene.settlement(game) }, game);
  }
  const end = scene.assertions.reduce((latest, { until }) => (until > latest ? until : latest), 0n);
  await scene.passUntil(end);
  const { game, assertions } = scene.stage;
  // Bonds come back while a list still waits, or when it is final: once.
  const whileWaiting = scene.random.below(2) === 0;
  if (whileWaiting) await releaseBonds(scene);
  await confirmParents(scene);
  await releaseBonds(scene);
  for (const account of scene.accounts) {
    const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'withdraw', args: [account] });
    for (const to of [game, assertions]) await scene.send({ from: scene.accomplice, to, data });
  }
}

async function releaseBonds(scene: Scene): Promise<void> {
  for (const { id } of scene.assertions) await scene.send({ from: scene.accomplice, ...bondRelease(scene, id) });
}

/** The honest party has all that is final and that others build on confirmed, parents first. */
async function confirmParents(scene: Scene): Promise<void> {
  const parents = new Set(scene.assertions.map(({ parent }) => parent));
  let left = scene.assertions.filter(({ claim }) => parents.has(claim));
  for (;;) {
    const before = left.length;
    for (const { id, claim } of left) {
      if ((await phaseOf(scene, id)) !== PHASE.final || (await isConfirmed(scene, claim))) continue;
      await scene.sendHonest(confirmation(scene, id));
      if (!(await isConfirmed(scene, claim))) throw new Broken('a final list could not be confirmed');
      left = left.filter((other) => other.claim !== claim);
    }
    if (left.length === before) return;
  }
}
