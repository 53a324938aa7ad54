import type { Role } from '../../fraud-proof/dispute/player.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Contestant } from '../disputes/random-matches.ts';
import type { Adversary } from './adversary.ts';
import { ask, Inference } from './inference.ts';
import type { Asked } from './inference.ts';
import { playGame } from './play.ts';
import type { Outcome } from './play.ts';
import { Random } from './random.ts';
import type { Stage } from './stage.ts';

export interface CampaignOptions {
  readonly adversaries: readonly Adversary[];
  readonly inferences: readonly Inference[];
  /** A chain of its own; after so many games a new one, for its state grows. */
  readonly openStage: () => Promise<Stage>;
  readonly gamesOnStage: number;
  /** Adversary × role pairs take turns until so many were played. */
  readonly games: number;
  readonly seed: number;
  readonly onOutcome?: (outcome: Outcome) => void;
  readonly onBroken?: (error: unknown, choice: { readonly adversary: Adversary; readonly role: Role; readonly game: number }) => void;
}

/** Every how many turns a costly adversary plays. */
const COSTLY = 8;

/** Traces of so many inputs of each model. */
export async function openInferences(contestants: readonly Contestant[], inputs: number, seed: number): Promise<Inference[]> {
  const executor = createWasmExecutor();
  const inferences: Inference[] = [];
  for (const contestant of contestants) {
    const prepared = await executor.prepare(contestant.model);
    for (let number = 0; number < inputs; number += 1) inferences.push(await Inference.open(contestant, prepared, seed + number));
  }
  return inferences;
}

/** Those that have a place in one of the inferences: a lie at an instruction needs one. */
export const fittingOf = (adversaries: readonly Adversary[], inferences: readonly Inference[]): Adversary[] =>
  adversaries.filter(({ fits }) => fits === undefined || inferences.some((inference) => fits(inference)));

/** Plays so many scenes, each of one adversary in one role; the same seed gives the same ones. */
export async function campaign({ adversaries, inferences, openStage, gamesOnStage, games, seed, onOutcome, onBroken }: CampaignOptions): Promise<Outcome[]> {
  const pairs = fittingOf(adversaries, inferences).flatMap((adversary) => adversary.roles.map((role) => ({ adversary, role })));
  const outcomes: Outcome[] = [];
  let stage: Stage | undefined;
  let asked: Asked[] = [];
  let [onStage, turn, broken] = [0, 0, 0];
  try {
    while (outcomes.length + broken < games) {
      if (stage === undefined || onStage >= gamesOnStage) {
        await stage?.close();
        stage = await openStage();
        asked = await ask(stage, inferences);
        onStage = 0;
      }
      const { adversary, role } = pairs[turn % pairs.length]!;
      const round = Math.floor(turn / pairs.length);
      turn += 1;
      if (adversary.blobs === true && !stage.blobs) continue;
      if (adversary.costly === true && round % COSTLY !== 0) continue;
      const choice = new Random(BigInt(seed) * 1_000_003n + BigInt(turn));
      try {
        // Not every model has a place for every adversary.
        const fitting = asked.filter(({ inference }) => adversary.fits?.(inference) !== false);
        const outcome = await playGame(stage, { adversary, role, asked: choice.one(fitting), seed: choice.big(2n ** 64n) });
        outcomes.push(outcome);
        onStage += 1;
        onOutcome?.(outcome);
      } catch (error) {
        broken += 1;
        onStage = gamesOnStage;
        if (onBroken === undefined) throw error;
        onBroken(error, { adversary, role, game: turn });
      }
    }
  } finally {
    await stage?.close();
  }
  return outcomes;
}
