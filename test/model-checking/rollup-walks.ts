import { seededNumbers } from './game-walks.ts';
import { legalActions } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import { openRollupBench } from './rollup-replay.ts';
import { ATTACKING_CHALLENGERS, CLAIM_NAMES, ROLLUP_RULES, isLegal } from './rollup-rules.ts';
import type { RollupAction, RollupState } from './rollup-rules.ts';

const BOUNDS: RollupBounds = { attackersInstances: 3, instances: 5, shamGames: 5, requests: true, claims: CLAIM_NAMES };

/** Anything that somebody could try, mostly at the wrong time. */
function anyAction({ instances }: RollupState, numbers: (below: number) => number): RollupAction {
  const request = numbers(2);
  if (instances.length === 0) return { kind: 'refund', request };
  const instance = numbers(instances.length);
  const { games, sponsor } = instances[instance] as RollupState['instances'][number];
  const game = numbers(Math.max(games.length, 1));
  const choice = numbers(games.length > 0 ? 9 : 6);
  switch (choice) {
    case 0: return { kind: 'withdrawBond', instance };
    case 1: return { kind: 'confirm', instance };
    case 2: return { kind: 'deliver', request, instance };
    case 3: return { kind: 'claimFee', request, instance };
    case 4: return { kind: 'refund', request };
    case 5: return { kind: 'challenge', instance, challenger: ATTACKING_CHALLENGERS[numbers(2)] as (typeof ATTACKING_CHALLENGERS)[number] };
    case 6: return { kind: 'answer', instance, game };
    case 7: return { kind: 'settle', instance, game };
    default: return { kind: 'prove', instance, game, wins: sponsor === 'attacking sponsor' };
  }
}

export interface RollupWalkCount {
  legal: number;
  illegal: number;
  readonly kinds: Set<string>;
}

/** A walk by chance through the model, every step of it on the contracts too. @throws Error where they differ */
export async function walkRollup(seed: number, steps: number, count: RollupWalkCount): Promise<void> {
  const numbers = seededNumbers(seed);
  numbers(2);
  const bench = await openRollupBench();
  for (let step = 0; step < steps; step += 1) {
    if (numbers(4) === 0) {
      const tried = anyAction(bench.state, numbers);
      // An honest challenger's own lies are not in the model.
      if (isLegal(ROLLUP_RULES, bench.state, tried)) continue;
      await bench.act(tried);
      count.illegal += 1;
      continue;
    }
    const legal = legalActions(ROLLUP_RULES, bench.state, BOUNDS);
    // Kinds first, since some are far more numerous than others.
    const kinds = [...new Set(legal.map(({ kind }) => kind))];
    const kind = kinds[numbers(kinds.length)];
    const ofKind = legal.filter((one) => one.kind === kind);
    await bench.act(ofKind[numbers(ofKind.length)] as RollupAction);
    count.legal += 1;
    count.kinds.add(kind as string);
  }
}
