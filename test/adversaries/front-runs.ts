import { encodeFunctionData } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { Adversary } from './adversary.ts';
import { same } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;

/** The game's transactions of the party to move: nobody else may send them. */
const isTurn = (game: { readonly winner?: unknown } | null, to: string, contract: string): boolean => game !== null && game.winner === undefined && to === contract;

/** Comes before the honest party's transaction, with what it can learn from it. */
export const FRONT_RUNS: readonly Adversary[] = [
  {
    name: 'sends the honest transaction from its own account', roles: BOTH,
    pending: async (scene, transaction, game) => {
      const { attacker, accomplice, stage } = scene;
      for (const from of [attacker, accomplice]) {
        // Anybody may record an end, and challenge with the same claims.
        if (isTurn(game, transaction.to, stage.game) && same(scene.moverOf(game!), scene.honest) && stage.time < (await scene.deadline(game!))) await scene.sendJunk({ ...transaction, from });
        else await scene.send({ ...transaction, from }, game);
      }
    },
  },
  {
    name: 'moves in the honest turn', roles: BOTH,
    pending: async (scene, { to }, game) => {
      if (!isTurn(game, to, scene.stage.game) || !same(scene.moverOf(game!), scene.honest)) return;
      const lie = scene.asked.inference.splicedLie(game!.split.start, scene.random);
      const action = await scene.actionOf(game!, lie);
      if (action !== null) await scene.sendJunk({ from: scene.attacker, ...scene.transactionOf(game!, action) });
    },
  },
  {
    name: 'takes the id of a game', roles: BOTH,
    pending: async (scene, _, game) => {
      if (game === null || game.winner !== undefined) return;
      const { states } = game.split;
      const terms = scene.termsArgument(game);
      const open = { from: scene.attacker, to: scene.stage.game, value: terms.challengerStake };
      const split = { end: states.at(-1)!, inner: states.slice(1, -1), blob: 0n };
      await scene.sendJunk({ ...open, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'open', args: [terms, split] }) });
      await scene.sendJunk({ ...open, value: 0n, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'close', args: [terms] }) });
    },
  },
  {
    name: 'poses as the client with the same terms', roles: BOTH,
    begin: async (scene, lie) => {
      const { attacker, honest, honestRole, truth, stage, random } = scene;
      const assertion = await scene.assert(honestRole === 'asserter' ? honest : attacker, honestRole === 'asserter' ? truth.output : lie.output);
      const game = honestRole === 'asserter' ? await scene.challenge(attacker, assertion, lie) : await scene.challenge(honest, assertion, truth);
      const terms = { ...scene.termsArgument(game!), client: attacker };
      const inner = Array.from({ length: 15 }, () => random.state());
      const sham = { from: attacker, to: stage.game };
      const opened = await stage.send({ ...sham, value: terms.challengerStake, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'open', args: [terms, { end: random.state(), inner, blob: 0n }] }) });
      if (!opened.success) throw new Error('a client could not open a game of its own');
      await scene.sendJunk({ from: attacker, ...scene.settlement(game!) });
    },
    after: async (scene) => {
      const game = scene.games[0]!;
      const terms = { ...scene.termsArgument(game), client: scene.attacker };
      scene.stage.time += 2n * game.terms.allowance;
      await scene.send({ from: scene.accomplice, to: scene.stage.game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'claimTimeout', args: [terms] }) });
    },
  },
  {
    name: 'is a delegate of its own making', roles: BOTH,
    pending: async (scene, transaction, game) => {
      const { attacker, accomplice, stage } = scene;
      const allow = (delegate: typeof attacker) => encodeFunctionData({ abi: dissectionGameAbi, functionName: 'setDelegate', args: [delegate, true] });
      await scene.sendIdle({ from: attacker, to: stage.game, data: allow(accomplice) });
      await scene.sendIdle({ from: accomplice, to: stage.game, data: allow(attacker) });
      if (isTurn(game, transaction.to, stage.game) && same(scene.moverOf(game!), scene.honest) && stage.time < (await scene.deadline(game!))) await scene.sendJunk({ ...transaction, from: accomplice });
    },
  },
  {
    name: 'fetches the honest money', roles: BOTH,
    pending: async ({ attacker, honest, stage }) => {
      const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'withdraw', args: [honest] });
      for (const to of [stage.game, stage.assertions]) await stage.send({ from: attacker, to, data });
    },
  },
  {
    name: 'settles before the honest party does', roles: BOTH,
    pending: async (scene, _, game) => {
      if (game?.winner !== undefined) await scene.send({ from: scene.attacker, ...scene.settlement(game) }, game);
    },
  },
  {
    name: 'asserts the same before, or challenges before', roles: BOTH,
    begin: async (scene, lie) => {
      const { attacker, accomplice, honest, honestRole, truth } = scene;
      if (honestRole === 'asserter') {
        await scene.assert(attacker, truth.output);
        await scene.challenge(accomplice, await scene.assert(honest, truth.output), lie);
      } else {
        const assertion = await scene.assert(attacker, lie.output);
        await scene.send({ from: accomplice, ...(await scene.challengeTransaction(assertion, truth)) });
        await scene.challenge(honest, assertion, truth);
      }
    },
  },
];
