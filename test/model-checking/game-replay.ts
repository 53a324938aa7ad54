import { concat, decodeFunctionResult, encodeAbiParameters, encodeFunctionData, keccak256, numberToHex, stringToHex, toHex } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, dissectionGameBytecode } from '../../contracts/abi/generated.ts';
import { blobOf, blobOpening } from '../../fraud-proof/dispute/blob-claims.ts';
import { claimsOpening } from '../../fraud-proof/dispute/claims.ts';
import { calldataArity } from '../../fraud-proof/dispute/split.ts';
import { kzg } from '../../rollup-node/kzg.ts';
import { LocalChain } from '../disputes/local-chain.ts';
import type { LocalReceipt } from '../disputes/local-chain.ts';
import { compileForTest } from './contracts.ts';
import { applyCall, gameRules, objection, openGame, phaseAt, segmentBounds } from './game-rules.ts';
import type { Call, Carrier, Claim, GamePhase, GameRules, GameState, GameTerms, Prices, Role, Split } from './game-rules.ts';

const FAKE_MACHINE = 'contracts/test/fakes/FakeMachine.sol';
/** Steps after which the machine has finished. */
const MACHINE_STEPS = 64n;
const OUTPUT = keccak256(stringToHex('output'));
const BITS = 248n;
const GAS_PRICE = 10n ** 9n;

/** The contract's phases, in its order. */
const PHASES: readonly (GamePhase | 'none')[] = ['none', 'asserter-to-answer', 'asserter-to-move', 'challenger-to-move', 'asserter-won', 'challenger-won'];

const account = (number: number): Address => numberToHex(0xaaaa_0000 + number, { size: 20 });
const CLIENT = account(0);
const PARTIES: Readonly<Record<Role, Address>> = { asserter: account(1), challenger: account(2) };
const STRANGER = account(3);

const hash248 = (types: readonly { type: string }[], values: readonly unknown[]): Hex =>
  numberToHex(BigInt(keccak256(encodeAbiParameters(types, values))) & ((1n << BITS) - 1n), { size: 32 });
const WORD = { type: 'bytes32' };
const NUMBER = { type: 'uint256' };
const contextOf = (story: Claim): Hex => keccak256(stringToHex(`story ${story}`));

const states = new Map<string, Hex>();
/** State `step` of a story: the fake machine's, for which it takes proofs. */
function stateOf(story: Claim, step: number): Hex {
  const key = `${story},${step}`;
  let state = states.get(key);
  if (state === undefined) {
    state = BigInt(step) < MACHINE_STEPS
      ? hash248([WORD, NUMBER], [contextOf(story), BigInt(step)])
      : hash248([{ type: 'string' }, WORD, WORD], ['finished', contextOf(story), OUTPUT]);
    states.set(key, state);
  }
  return state;
}

/** The real `DissectionGame` on a chain in this process, over the fake machine, and the model beside it. */
export interface GameBench {
  readonly rules: GameRules;
  readonly prices: Prices;
  /** Opens a game on both sides. */
  open(terms: GameTerms, carrier: Carrier, claims: readonly Claim[]): Promise<ReplayedGame>;
}

export interface ReplayedGame {
  readonly state: GameState;
  readonly time: number;
  wait(seconds: number): void;
  /**
   * Sends a call and compares whether it is legal, the game's phase, bounds and clocks after it, and what was paid.
   * @throws Error where the contract and the model differ
   */
  call(call: Call): Promise<void>;
  /** The client takes note of the end, which records it if nobody has; legal after the end, and without effect from the second time on. */
  close(): Promise<void>;
}

/** @param arityBits of the deployment: calldata splits have `2^arityBits` segments */
export async function openGameBench(arityBits: number): Promise<GameBench> {
  const chain = await LocalChain.create();
  const machine = compileForTest(FAKE_MACHINE, 'FakeMachine');
  const verifier = await chain.deploy(machine.abi, machine.bytecode, [MACHINE_STEPS, OUTPUT]);
  const game = await chain.deploy(dissectionGameAbi, dissectionGameBytecode, [verifier, GAS_PRICE, BigInt(arityBits)]);
  for (const one of [CLIENT, PARTIES.asserter, PARTIES.challenger, STRANGER]) await chain.fund(one, 10n ** 30n);

  const view = async (functionName: string, args: readonly unknown[] = []): Promise<unknown> => {
    const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: functionName as never, args: args as never });
    const { returned } = await chain.send({ from: STRANGER, to: game, data });
    return decodeFunctionResult({ abi: dissectionGameAbi, functionName: functionName as never, data: returned });
  };
  const gasOf = async (name: string): Promise<bigint> => (await view(`${name}_GAS`)) as bigint;
  const prices: Prices = {
    opening: await gasOf('OPENING'), answer: await gasOf('ANSWER'), move: await gasOf('MOVE'), proof: await gasOf('PROOF'), blobPick: await gasOf('BLOB_PICK'), ending: await gasOf('ENDING'),
    gasPrice: GAS_PRICE,
  };
  const rules = gameRules(2 ** arityBits);
  let games = 0;

  const splitOf = (start: number, length: number, carrier: Carrier, claims: readonly Claim[]) => {
    const count = claims.length - 1;
    const all = claims.map((story, bound) => stateOf(story, start + Math.floor((bound * length) / count)));
    const end = all.at(-1) as Hex;
    return carrier === 'blob' ? { split: { end, inner: [] as Hex[], blob: 1n }, blobs: [blobOf(all)] } : { split: { end, inner: all.slice(1, -1), blob: 0n }, blobs: [] };
  };
  const statesOf = ({ start, length, claims }: Split): Hex[] => claims.map((story, bound) => stateOf(story, start + Math.floor((bound * length) / (claims.length - 1))));

  return {
    rules, prices,
    open: async (terms, carrier, claims) => {
      games += 1;
      const opened = chain.time;
      let state = openGame(terms, carrier, claims, prices, 0);
      let closed = false;
      const now = (): number => Number(chain.time - opened);
      const agreed = {
        client: CLIENT, ...PARTIES, initialState: stateOf(0, 0), binding: numberToHex(games, { size: 32 }), steps: BigInt(terms.steps), allowance: terms.allowance,
        asserterStake: terms.stakes.asserter, challengerStake: terms.stakes.challenger,
      };
      const credited = async (role: Role): Promise<bigint> => (await view('owed', [PARTIES[role]])) as bigint;
      const before = { asserter: await credited('asserter'), challenger: await credited('challenger') };
      const first = splitOf(0, terms.steps, carrier, claims);
      const opening = await chain.send({
        from: CLIENT, to: game, value: terms.stakes.challenger, blobs: first.blobs,
        data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'open', args: [agreed, first.split] }),
      });
      if (!opening.success) throw new Error(`open reverted: ${opening.returned}`);
      const gameId = opening.returned;

      const compare = async (what: string): Promise<void> => {
        const differ = (where: string, model: unknown, contract: unknown): never => {
          throw new Error(`after ${what} at ${now()} s of game ${games}, ${where}: the model has ${String(model)}, the contract ${String(contract)}`);
        };
        const expected = phaseAt(rules, state, now());
        const actual = PHASES[Number(await view('phase', [gameId]))];
        if (actual !== expected) differ('the phase', expected, actual);
        const stored = (await view('game', [gameId])) as { clock: { start: number; end: bigint; asserterRemaining: number; challengerRemaining: number; recorded: number; closed: boolean } };
        const { clock } = stored;
        if (PHASES[clock.recorded] !== state.phase) differ('the recorded phase', state.phase, PHASES[clock.recorded]);
        if (clock.closed !== closed) differ('whether it is closed', closed, clock.closed);
        if (state.payout === undefined) {
          const { start, length } = state.split;
          if (Number(clock.start) !== start || Number(clock.end) !== start + length) differ('the split', `${start} + ${length}`, `${clock.start} to ${clock.end}`);
          if (clock.asserterRemaining !== state.remaining.asserter) differ("the asserter's clock", state.remaining.asserter, clock.asserterRemaining);
          if (clock.challengerRemaining !== state.remaining.challenger) differ("the challenger's clock", state.remaining.challenger, clock.challengerRemaining);
        }
        for (const role of ['asserter', 'challenger'] as const) {
          const paid = (await credited(role)) - before[role];
          if (paid !== (state.payout?.[role] ?? 0n)) differ(`the ${role}'s pay`, state.payout?.[role] ?? 0n, paid);
        }
      };

      const transaction = (call: Call): Promise<LocalReceipt> => {
        if (call.kind === 'claimTimeout') {
          return chain.send({ from: STRANGER, to: game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'claimTimeout', args: [agreed] }) });
        }
        const { split } = state;
        const count = split.claims.length - 1;
        const segment = ((call.segment % count) + count) % count;
        const [from, to] = segmentBounds(split.length, segment, count);
        const all = statesOf(split);
        const pick = {
          steps: BigInt(call.steps), segment: BigInt(call.segment),
          start: stateOf(call.picked[0], split.start + from), end: stateOf(call.picked[1], split.start + to),
          opening: split.carrier === 'calldata' ? claimsOpening(all, segment, calldataArity(2 ** arityBits)) : blobOpening(all, segment, kzg),
        };
        const sender = PARTIES[call.by];
        if (call.kind === 'prove') {
          const proof = concat([contextOf(call.story), toHex(split.start + from, { size: 32 })]);
          return chain.send({ from: sender, to: game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'prove', args: [agreed, pick, proof] }) });
        }
        const own = splitOf(split.start + from, Math.max(to - from, 1), call.carrier, [call.picked[0], ...call.claims]);
        const data = call.kind === 'answer'
          ? encodeFunctionData({ abi: dissectionGameAbi, functionName: 'answer', args: [agreed, pick, own.split] })
          : encodeFunctionData({ abi: dissectionGameAbi, functionName: 'move', args: [gameId, PARTIES, pick, own.split] });
        return chain.send({ from: sender, to: game, data, blobs: own.blobs, value: call.kind === 'answer' ? terms.stakes.asserter : 0n });
      };

      const judge = async (what: string, legal: boolean, receipt: LocalReceipt): Promise<void> => {
        if (receipt.success !== legal) throw new Error(`${what} at ${now()} s of game ${games} in ${JSON.stringify(state.split)}: ${legal ? `legal, but it reverted with ${receipt.returned}` : 'illegal, but it was taken'}`);
        await compare(what);
      };
      await compare('open');
      return {
        get state() { return state; },
        get time() { return now(); },
        wait: (seconds) => { chain.time += BigInt(seconds); },
        call: async (call) => {
          const reason = objection(rules, state, call, now());
          const receipt = await transaction(call);
          if (reason === null && receipt.success) state = applyCall(rules, terms, prices, state, call, now());
          await judge(`${JSON.stringify(call)} (${reason ?? 'legal'})`, reason === null, receipt);
        },
        close: async () => {
          const over = phaseAt(rules, state, now());
          const legal = over === 'asserter-won' || over === 'challenger-won';
          const receipt = await chain.send({ from: CLIENT, to: game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'close', args: [agreed] }) });
          if (legal && receipt.success) {
            closed = true;
            if (state.payout === undefined) state = applyCall(rules, terms, prices, state, { kind: 'claimTimeout' }, now());
          }
          await judge('close', legal, receipt);
        },
      };
    },
  };
}

