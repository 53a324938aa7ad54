import { concat, decodeFunctionResult, encodeAbiParameters, encodeFunctionData, keccak256, numberToHex, parseEventLogs, stringToHex, zeroHash } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import {
  dissectionGameAbi, dissectionGameBytecode, inboxAbi, inboxBytecode, resultAssertionsAbi, resultAssertionsBytecode,
} from '../../contracts/abi/generated.ts';
import { claimsOpening } from '../../fraud-proof/dispute/claims.ts';
import { calldataArity } from '../../fraud-proof/dispute/split.ts';
import { LocalChain } from '../disputes/local-chain.ts';
import type { LocalReceipt } from '../disputes/local-chain.ts';
import { compileForTest } from './contracts.ts';
import {
  AMOUNTS, ATTACKING_CHALLENGERS, CLAIMS, CLAIM_NAMES, ROLLUP_RULES, TIMES, applyAction, heldBy, initialState, isLegal, phaseOf, requestOf,
} from './rollup-rules.ts';
import type { Account, ClaimName, GameOfClaim, Instance, Payment, RollupAction, RollupState } from './rollup-rules.ts';

/** Wei of the model's unit of money, and seconds of its tick. */
const UNIT = 10n ** 15n;
const TICK = 100n;
/** Steps of the model, and log2 of the arity: two segments, of two and of three steps, which the answer splits into steps. */
const STEPS = 5;
const ARITY_BITS = 1;
const BOUNDS = [0, 2, 5] as const;
const ARITY = calldataArity(2 ** ARITY_BITS);

const ACCOUNTS: readonly Account[] = ['honest sponsor', 'attacking sponsor', 'honest challenger', ...ATTACKING_CHALLENGERS, 'requester'];
const addressOf = (account: Account): Address => numberToHex(0xbbbb_0000 + ACCOUNTS.indexOf(account), { size: 20 });
const PHASES = ['none', 'challengeable', 'disputed', 'waiting', 'final', 'defeated'] as const;
const STATUSES = ['none', 'pending', 'delivered', 'refunded'] as const;

const BYTES32 = { type: 'bytes32' };
const UINT = { type: 'uint256' };
const hash = (types: readonly { type: string }[], values: readonly unknown[]): Hex => keccak256(encodeAbiParameters(types, values));
const hash248 = (types: readonly { type: string }[], values: readonly unknown[]): Hex => numberToHex(BigInt(hash(types, values)) & ((1n << 248n) - 1n), { size: 32 });

/** A result of one word, and its commitment. */
const wordsOf = (right: boolean): Hex => numberToHex(right ? 1 : 2, { size: 32 });
const commitmentOf = (words: Hex): Hex => hash([BYTES32, BYTES32, UINT], [keccak256(stringToHex('assay.tensor.v1')), words, 1n]);
const outputOf = (right: boolean): Hex => commitmentOf(wordsOf(right));
/** What a sham challenge claims. */
const OTHER_OUTPUT = commitmentOf(numberToHex(3, { size: 32 }));

/** The real contracts with two requests, and the model beside them. */
export interface RollupBench {
  readonly state: RollupState;
  /** @returns whether it was legal. @throws Error where the contracts and the model differ in that, in a phase, or in what anybody is owed */
  act(action: RollupAction): Promise<boolean>;
}

export async function openRollupBench(): Promise<RollupBench> {
  const rules = ROLLUP_RULES;
  const chain = await LocalChain.create();
  for (const account of ACCOUNTS) await chain.fund(addressOf(account), 10n ** 30n);
  const fake = (name: string): { readonly abi: Abi; readonly bytecode: Hex } => compileForTest(`contracts/test/fakes/${name}.sol`, name);
  const [fakeMachine, fakeModel] = [fake('FakeMachine'), fake('FakeModel')];
  const machine = await chain.deploy(fakeMachine.abi, fakeMachine.bytecode, [BigInt(STEPS), outputOf(true)]);
  const game = await chain.deploy(dissectionGameAbi, dissectionGameBytecode, [machine, 0n, BigInt(ARITY_BITS)]);
  const model = await chain.deploy(fakeModel.abi, fakeModel.bytecode, [BigInt(STEPS)]);
  const inbox = chain.addressOf(3);
  const assertions = chain.addressOf(4);
  await chain.deploy(inboxAbi, inboxBytecode, [model, assertions, TICK * BigInt(TIMES.deadline)]);
  await chain.deploy(resultAssertionsAbi, resultAssertionsBytecode, [inbox, model, game, machine, {
    window: TICK * BigInt(TIMES.window), bond: UNIT * BigInt(AMOUNTS.bond), bounty: UNIT * BigInt(AMOUNTS.bounty), baseStake: UNIT * BigInt(AMOUNTS.sponsorStake),
    stakePerGigastep: 0n, challengerFactor: BigInt(AMOUNTS.challengerStake / AMOUNTS.sponsorStake),
    // A second more for the steps, rounded up.
    baseAllowance: TICK * BigInt(TIMES.allowance) - 1n, stepsPerSecond: 10n ** 8n,
  }]);

  const view = async (abi: Abi, to: Address, functionName: string, args: readonly unknown[]): Promise<unknown> => {
    const { returned } = await chain.send({ from: addressOf('requester'), to, data: encodeFunctionData({ abi, functionName, args }) });
    return decodeFunctionResult({ abi, functionName, data: returned });
  };
  const ask = async (finality: number): Promise<Hex> => {
    const data = encodeFunctionData({ abi: fakeModel.abi, functionName: 'ask', args: [inbox, { finality, callbackGas: 0, deadlineSeconds: 0n, seed: zeroHash }] });
    const { success, returned } = await chain.send({ from: addressOf('requester'), to: model, data, value: UNIT * BigInt(AMOUNTS.fee) });
    if (!success) throw new Error(`a request reverted: ${returned}`);
    return returned;
  };
  const requests = [await ask(1), await ask(0)];
  const context = hash([BYTES32, BYTES32, BYTES32], [keccak256(stringToHex('fake model')), zeroHash, zeroHash]);
  const finished = (output: Hex): Hex => hash248([{ type: 'string' }, BYTES32, BYTES32], ['finished', context, output]);
  const stateAt = (step: number): Hex => (step < STEPS ? hash248([BYTES32, UINT], [context, BigInt(step)]) : finished(outputOf(true)));

  const requestIdOf = (claim: ClaimName): Hex => requests[requestOf(claim)] as Hex;
  const claimedOutput = (claim: ClaimName): Hex => outputOf(CLAIMS[claim].right);
  const hashOf = (claim: ClaimName): Hex => {
    const { parent } = CLAIMS[claim];
    return hash([BYTES32, BYTES32, UINT], [parent === null ? zeroHash : hashOf(parent), keccak256(concat([requestIdOf(claim), claimedOutput(claim)])), 1n]);
  };

  let state = initialState(true);
  const ids: Hex[] = [];
  /** What the last split of each game was, and what it was opened with. */
  const openings = new Map<string, { readonly end: Hex; readonly terms: Record<string, unknown> }>();
  const paid = new Map<string, bigint>();
  let steps = 0;

  /** A challenger's first split: right in the middle, and at the end whatever it says comes out. */
  const openingOf = ({ claim }: Instance, challenger: Account): Hex => (challenger === 'honest challenger' && !CLAIMS[claim].right ? outputOf(true) : OTHER_OUTPUT);
  /** The sponsor's answer: the honest one claims the second half as it is; the other lies about the end of the first. */
  const answerOf = (instance: Instance): { from: number; states: Hex[] } =>
    instance.sponsor === 'honest sponsor' ? { from: BOUNDS[1], states: [2, 3, 4, 5].map(stateAt) } : { from: 0, states: [stateAt(0), stateAt(1), numberToHex(7, { size: 32 })] };

  const transaction = async (action: RollupAction): Promise<LocalReceipt> => {
    const instance = 'instance' in action ? (state.instances[action.instance] as Instance) : undefined;
    const id = 'instance' in action ? (ids[action.instance] as Hex) : zeroHash;
    const playing = instance !== undefined && 'game' in action ? (instance.games[action.game] as GameOfClaim) : undefined;
    const opened = openings.get(`${id},${playing?.challenger ?? ''}`);
    const call = (from: Account, to: Address, abi: Abi, functionName: string, args: readonly unknown[], value = 0): Promise<LocalReceipt> =>
      chain.send({ from: addressOf(from), to, data: encodeFunctionData({ abi, functionName, args }), value: UNIT * BigInt(value) });
    switch (action.kind) {
      case 'assert': {
        const { parent } = CLAIMS[action.claim];
        return call(action.sponsor, assertions, resultAssertionsAbi, 'assertResults', [parent === null ? zeroHash : hashOf(parent), [requestIdOf(action.claim)], [claimedOutput(action.claim)]], AMOUNTS.bond);
      }
      case 'challenge': {
        const { claim } = instance as Instance;
        const output = openingOf(instance as Instance, action.challenger);
        const end = finished(output);
        return call(action.challenger, assertions, resultAssertionsAbi, 'challenge', [
          id, { index: 0n, requestId: requestIdOf(claim), outputCommitment: claimedOutput(claim), path: [] }, output, { end, inner: [stateAt(BOUNDS[1])], blob: 0n },
        ], AMOUNTS.challengerStake);
      }
      case 'answer': {
        const { from, states } = answerOf(instance as Instance);
        const claimed = [stateAt(0), stateAt(BOUNDS[1]), opened?.end as Hex];
        const segment = from === 0 ? 0 : 1;
        const pick = { steps: BigInt(STEPS), segment: BigInt(segment), start: claimed[segment], end: claimed[segment + 1], opening: claimsOpening(claimed, segment, ARITY) };
        return call((instance as Instance).sponsor, game, dissectionGameAbi, 'answer', [opened?.terms, pick, { end: states.at(-1), inner: states.slice(1, -1), blob: 0n }], AMOUNTS.sponsorStake);
      }
      case 'prove': {
        const { from, states } = answerOf(instance as Instance);
        // The lie is about the second step.
        const segment = action.wins ? 1 : 0;
        const pick = { steps: BigInt(states.length - 1), segment: BigInt(segment), start: states[segment], end: states[segment + 1], opening: claimsOpening(states, segment, ARITY) };
        return call((playing as GameOfClaim).challenger, game, dissectionGameAbi, 'prove', [opened?.terms, pick, concat([context, numberToHex(from + segment, { size: 32 })])]);
      }
      case 'settle': return call('requester', assertions, resultAssertionsAbi, 'settle', [id, requestIdOf((instance as Instance).claim), claimedOutput((instance as Instance).claim), opened?.terms]);
      case 'withdrawBond':
      case 'confirm': return call('requester', assertions, resultAssertionsAbi, action.kind, [id]);
      case 'deliver': return call('requester', inbox, inboxAbi, 'deliver', [requests[action.request], id, 0n, [], wordsOf(CLAIMS[(instance as Instance).claim].right)]);
      case 'claimFee': return call('requester', inbox, inboxAbi, 'claimFee', [requests[action.request], id, 0n, claimedOutput((instance as Instance).claim), []]);
      case 'refund': return call('requester', inbox, inboxAbi, 'refund', [requests[action.request]]);
      case 'tick':
        chain.time += TICK;
        return { success: true, returned: '0x', logs: [], gas: 0n };
    }
  };

  const contracts = { assertions, game, inbox } as const;
  const abis = { assertions: resultAssertionsAbi, game: dissectionGameAbi, inbox: inboxAbi } as const;
  const compare = async (action: RollupAction): Promise<void> => {
    const differ = (where: string, expected: unknown, actual: unknown): void => {
      if (expected !== actual) throw new Error(`step ${steps}, after ${JSON.stringify(action)}, ${where}: the model has ${String(expected)}, the contract ${String(actual)}`);
    };
    for (const [index, instance] of state.instances.entries()) {
      differ(`phase of assertion ${index}`, phaseOf(rules, state, instance), PHASES[Number(await view(resultAssertionsAbi, assertions, 'phase', [ids[index]]))]);
    }
    for (const claim of CLAIM_NAMES) differ(`confirmed ${claim}`, state.confirmed.includes(claim), await view(resultAssertionsAbi, assertions, 'confirmed', [hashOf(claim)]));
    for (const [index, { status, feeSpent }] of state.requests.entries()) {
      const stored = (await view(inboxAbi, inbox, 'requestOf', [requests[index]])) as { status: number; feeSpent: boolean };
      differ(`status of request ${index}`, status.split(' ')[0], STATUSES[stored.status]);
      differ(`fee of request ${index}`, feeSpent, stored.feeSpent);
    }
    const held = heldBy(rules, state);
    for (const name of ['assertions', 'game', 'inbox'] as const) {
      let sum = paid.get(`${name},nobody`) ?? 0n;
      for (const account of ACCOUNTS) {
        const owed = paid.get(`${name},${account}`) ?? 0n;
        differ(`what ${name} owes the ${account}`, owed, await view(abis[name], contracts[name], 'owed', [addressOf(account)]));
        sum += owed;
      }
      differ(`balance of ${name}`, sum + UNIT * BigInt(held[name]), await chain.balanceOf(contracts[name]));
    }
  };

  return {
    get state() { return state; },
    act: async (action) => {
      steps += 1;
      const legal = isLegal(rules, state, action);
      const { success, returned, logs } = await transaction(action);
      if (success !== legal) throw new Error(`step ${steps}, ${JSON.stringify(action)} in ${JSON.stringify(state)}: ${legal ? `legal, but it reverted with ${returned}` : 'illegal, but it was taken'}`);
      if (!legal) return false;
      if (action.kind === 'assert') ids.push(returned);
      if (action.kind === 'challenge') {
        const [event] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs: logs as never });
        if (event === undefined) throw new Error('a challenge opened no game');
        openings.set(`${ids[action.instance] as Hex},${action.challenger}`, { end: finished(openingOf(state.instances[action.instance] as Instance, action.challenger)), terms: event.args.terms });
      }
      const { state: next, payments } = applyAction(rules, state, action);
      for (const { to, amount, contract } of payments as readonly Payment[]) {
        if (to !== 'escrow') paid.set(`${contract},${to}`, (paid.get(`${contract},${to}`) ?? 0n) + UNIT * BigInt(amount));
      }
      state = next;
      await compare(action);
      return true;
    },
  };
}
