import { numberToHex, zeroHash } from 'viem';
import type { Hex } from 'viem';
import type { Adversary, Turn } from './adversary.ts';
import type { Computation } from './inference.ts';
import { forgedAction, pickOf, segmentsOf } from './moves.ts';
import type { Scene } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;

/** Claims about the segment that it picks, instead of those of any run. */
const forging = (name: string, claim: (turn: Turn, bounds: readonly bigint[]) => readonly Hex[] | Promise<readonly Hex[]>, choose?: (turn: Turn, segments: number) => number): Adversary => ({
  name, roles: BOTH,
  turn: async (turn) => {
    const { scene, game } = turn;
    const segments = segmentsOf(game);
    const segment = choose?.(turn, segments) ?? scene.random.below(segments);
    await turn.play(await forgedAction(scene, game, segment, (bounds) => claim(turn, bounds)));
  },
});

const madeUp = ({ scene: { random } }: Turn, bounds: readonly bigint[]): Hex[] => bounds.map(() => random.state());

/** The truth, but another end. */
async function wrongEnd({ scene: { truth, random } }: Turn, bounds: readonly bigint[]): Promise<Hex[]> {
  return [...(await truth.source.stateAt(bounds.slice(0, -1))), random.state()];
}

/** Right, wrong, right again, and wrong in the end. */
function twice({ asked: { inference }, random, truth }: Scene): Computation {
  const lie = inference.splicedLie(-1n, random);
  const [a, b, c] = [random.big(inference.steps), random.big(inference.steps), random.big(inference.steps)].sort((left, right) => (left < right ? -1 : 1)) as [bigint, bigint, bigint];
  return {
    ...lie,
    source: {
      ...lie.source,
      stateAt: async (steps) => {
        const [right, wrong] = [await truth.source.stateAt(steps), await lie.source.stateAt(steps)];
        return steps.map((step, index) => (step === inference.steps || (step > a && step <= b) || step > c ? wrong[index] : right[index]) as Hex);
      },
    },
  };
}

/** Lies twice, changes its story, agrees with its own lie. */
export const CHANGING_STORIES: readonly Adversary[] = [
  { name: 'lies twice', roles: BOTH, lie: twice },
  {
    name: 'tells another story at every move', roles: BOTH,
    turn: async ({ scene, game, play }) => {
      const { random, asked: { inference } } = scene;
      const last = game.split.start + random.big(game.split.length);
      const action = await scene.actionOf(game, inference.splicedLie(last, random));
      if (action !== null) await play(action);
    },
  },
  {
    name: 'swaps one lie for another', roles: BOTH,
    turn: async ({ scene, game, play, playUsual }) => {
      try {
        const action = await scene.actionOf(game, await scene.asked.inference.consistentLie(scene.random));
        if (action !== null && (await play(action))) return;
      } catch {
        // That lie agrees with all that the split says.
      }
      await playUsual();
    },
  },
  {
    name: 'answers its own claims', roles: BOTH,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const own = await scene.actionOf(game, turn.lie).catch(() => null);
      if (own === null) return;
      if (!(await turn.play(own)) || game.winner !== undefined) return;
      // Its own split, which only the other side may answer.
      const action = await forgedAction(scene, game, scene.random.below(segmentsOf(game)), (bounds) => madeUp(turn, bounds));
      await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, action) });
    },
  },
  forging('claims made-up states for any segment', madeUp),
  forging('always picks the first segment', madeUp, () => 0),
  forging('always picks the last segment', madeUp, (_, segments) => segments - 1),
  forging('claims the truth with a wrong end', wrongEnd),
  forging('claims that nothing ever changes', ({ game }, bounds) => bounds.map(() => game.split.states[0] as Hex)),
  forging('claims zeros', (_, bounds) => bounds.map(() => zeroHash)),
  forging('claims numbers that no state has', (_, bounds) => bounds.map((__, index) => numberToHex(2n ** 256n - 1n - BigInt(index), { size: 32 }))),
  forging('is one step behind', ({ scene: { truth } }, bounds) => truth.source.stateAt(bounds.map((step) => step - 1n))),
  forging('is one step ahead', ({ scene: { truth, asked: { inference: { steps } } } }, bounds) => truth.source.stateAt(bounds.map((step) => (step < steps ? step + 1n : 0n)))),
  forging('claims the truth backwards', async ({ scene: { truth } }, bounds) => [...(await truth.source.stateAt([...bounds].reverse()))]),
  {
    name: 'concedes the honest end', roles: BOTH,
    turn: async (turn) => {
      const { scene, game } = turn;
      const segment = scene.random.below(segmentsOf(game));
      const action = await forgedAction(scene, game, segment, (bounds) => bounds.map(() => pickOf(game, segment).end));
      if (action.kind === 'prove') await turn.play(action);
      else await scene.sendJunk({ from: game.terms[turn.role], ...scene.transactionOf(game, action) });
    },
  },
];
