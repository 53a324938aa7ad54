import { concat, encodeFunctionData, slice, toFunctionSelector } from 'viem';
import type { Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { Adversary, Turn } from './adversary.ts';
import type { GameOnStage, Scene } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;
const FLOOD = 5;

/** What anybody may do without end: it takes nothing from others. */
const FREE: ReadonlySet<string> = new Set(['batch', 'deposit', 'setDelegate', 'withdraw']);
const SMALL: readonly Hex[] = ['00', '01', '20', '40', '60', 'ff'].map((byte): Hex => `0x${byte.padStart(64, '0')}`);

const selectors: readonly Hex[] = [...dissectionGameAbi, ...resultAssertionsAbi].flatMap((item) =>
  item.type === 'function' && item.stateMutability !== 'view' && !FREE.has(item.name) ? [toFunctionSelector(item)] : []);

/** Words of noise behind a real selector. */
const noise = ({ random }: Scene): Hex => concat([random.one(selectors), ...Array.from({ length: random.below(24) }, () => (random.below(3) === 0 ? random.word() : SMALL[random.below(SMALL.length)]!))]);

async function junk({ scene, game }: Turn): Promise<void> {
  const { attacker, stage, random } = scene;
  await scene.sendJunk({ from: attacker, to: random.one([stage.game, stage.assertions]), data: noise(scene) });
  await scene.sendJunk({ from: attacker, to: random.one([stage.game, stage.assertions]), data: slice(random.word(), 0, random.below(5)), value: BigInt(random.below(2)) });
  await scene.sendJunk({ from: attacker, to: stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'withdrawBond', args: [game.assertion.id] }) });
  await scene.sendJunk({ from: attacker, to: stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'confirm', args: [random.word()] }) });
}

const batch = (calls: readonly Hex[]): Hex => encodeFunctionData({ abi: dissectionGameAbi, functionName: 'batch', args: [[...calls]] });

/** Many games, calls that mean nothing, everything twice. */
export const SPAM: readonly Adversary[] = [
  {
    name: 'opens many games', roles: BOTH,
    begin: async (scene, lie) => {
      const { honest, honestRole, truth, attacker, asked: { inference }, random } = scene;
      if (honestRole === 'asserter') {
        const assertion = await scene.assert(honest, truth.output);
        await scene.challenge(attacker, assertion, lie);
        for (let game = 1; game < FLOOD; game += 1) await scene.challenge(await scene.anotherAccount(), assertion, inference.splicedLie(random.big(inference.steps), random));
      } else {
        for (let game = 0; game < FLOOD; game += 1) {
          await scene.challenge(honest, await scene.assert(game === 0 ? attacker : await scene.anotherAccount(), lie.output), truth);
        }
      }
    },
  },
  { name: 'sends junk', roles: BOTH, turn: async (turn) => { await junk(turn); await turn.playUsual(); } },
  {
    name: 'does everything twice', roles: BOTH,
    turn: async (turn) => {
      const action = await turn.usual();
      if (action === null || !(await turn.play(action))) return;
      await turn.scene.sendJunk({ from: turn.game.terms[turn.role], ...turn.scene.transactionOf(turn.game, action) });
    },
    after: async (scene) => {
      for (const game of scene.games) await settleTwice(scene, game);
    },
  },
  {
    name: 'moves in batches full of junk', roles: BOTH,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const action = await turn.usual();
      if (action === null) return;
      const { data, value = 0n } = scene.transactionOf(game, action);
      const { stage } = scene;
      const from = game.terms[role];
      await scene.send({ from, to: stage.game, value, data: batch([noise(scene), data, data, batch([data]), scene.random.word()]) }, game);
      await scene.sendIdle({ from, to: stage.game, data: batch([data, noise(scene), batch([data, data])]) });
    },
  },
  {
    name: 'gives money away', roles: BOTH,
    turn: async (turn) => {
      const { attacker, stage, random } = turn.scene;
      const to = random.one([stage.game, stage.assertions]);
      await turn.scene.sendIdle({ from: attacker, to, value: BigInt(1 + random.below(1000)), data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'deposit', args: [turn.scene.accomplice] }) });
      await turn.playUsual();
    },
  },
];

async function settleTwice(scene: Scene, game: GameOnStage): Promise<void> {
  const settlement = { from: scene.attacker, ...scene.settlement(game) };
  await scene.send(settlement, game);
  await scene.sendIdle(settlement);
  await scene.sendJunk({ from: scene.attacker, ...scene.timeout(game) });
  const release = { from: scene.attacker, to: scene.stage.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'withdrawBond', args: [game.assertion.id] }) };
  await scene.send(release);
  await scene.sendJunk(release);
}
