import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex, encodeFunctionData, hexToBytes, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { nextAction, openingMove } from '../../fraud-proof/dispute/player.ts';
import type { Carrier, Role } from '../../fraud-proof/dispute/player.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { disputePhase, isOver } from '../../rollup-node/chain/clock.ts';
import { proveEntry } from '../../rollup-node/chain/entries.ts';
import { createSender } from '../../rollup-node/chain/sender.ts';
import type { TransactionIntent, TransactionSender } from '../../rollup-node/chain/sender.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../../rollup-node/devnet.ts';
import type { Devnet } from '../../rollup-node/devnet.ts';
import { transactionsAfter } from '../../rollup-node/disputes/settle.ts';
import { claimedSplit } from '../../rollup-node/disputes/split-states.ts';
import { actionTransaction, blobsOf, gameView, splitArgument } from '../../rollup-node/disputes/turn.ts';
import { randomFaults } from '../../rollup-node/inference/faults.ts';
import type { FaultChooser } from '../../rollup-node/inference/inference.ts';
import { inputWords } from '../../rollup-node/inference/models.ts';
import { kzg } from '../../rollup-node/kzg.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import type { DisputeRecord } from '../../rollup-node/store/tables.ts';
import { ask, until, warp } from '../../rollup-node/testing/requests.ts';
import { executor, otherExecutor } from '../../rollup-node/testing/small-devnet.ts';
import { challengeStake } from '../../rollup-node/watcher/stake.ts';

const FAULT = 7n;
const WINDOW = 3_000n;

/** A rollup whose games are played move by move, as a test says. The asserter lies, the challenger is right. */
export interface ScriptedRollup {
  readonly devnet: Devnet;
  /** What the commands need to find the rollup. */
  readonly environment: Readonly<Record<string, string>>;
  /** Has the liar answer a request, and challenges the answer; gives the game. `inBatch` puts the challenge into a batch, behind one that shows another output and fails. */
  challenge(elements: Uint8Array, carrier?: Carrier, inBatch?: boolean): Promise<Hex>;
  /** The transaction of whoever's turn it is. */
  nextTurn(gameId: Hex, carrier?: Carrier): Promise<TransactionIntent>;
  /** Sends a transaction as a party, and waits until it can be read. */
  send(role: Role, transaction: TransactionIntent): Promise<void>;
  /** Takes the turn of whoever's it is. */
  turn(gameId: Hex, carrier?: Carrier): Promise<void>;
  /** Takes turns until the game is over. */
  playOn(gameId: Hex, carrier?: Carrier): Promise<void>;
  /** Lets the running clock of a game run out. */
  runOut(gameId: Hex): Promise<void>;
  /** Has the assertion take note of a game that is over. */
  settle(gameId: Hex): Promise<void>;
  /** The game as a node knows it, and whose turn it is. */
  dispute(gameId: Hex): Promise<DisputeRecord & { readonly mover: Role }>;
  /** A party's run of a game's inference. */
  trace(gameId: Hex, role: Role): Promise<Trace>;
  stop(): Promise<void>;
}

/** The opening of a finished state with another output in it, which opens nothing: its eleventh word is the output's commitment. */
function withOtherOutput(opening: Hex): Hex {
  const bytes = hexToBytes(opening);
  bytes[11 * 32 - 1] = (bytes[11 * 32 - 1] ?? 0) ^ 1;
  return bytesToHex(bytes);
}

/** Starts it with one model. @param chooseFault the lie; a random one when absent */
export async function openScriptedRollup(model: Model, chooseFault: FaultChooser = randomFaults(FAULT)): Promise<ScriptedRollup> {
  const devnet = await startDevnet({ models: [{ model, fee: 10n ** 15n }], sequencerExecutor: executor(), parameters: { window: WINDOW }, pollInterval: 20, batchDelay: 0, log: silentLogger() });
  try {
    // Both parties are played by hand.
    await devnet.sequencer.stop();
    const reader = await devnet.addNode({ name: 'reader', roles: {}, executor: executor(), accountIndex: DEVNET_ACCOUNTS.user });
    const { context, context: { store, client, contracts } } = reader;
    const published = devnet.models[0]!;
    const prepared = await otherExecutor().prepare(model);
    const senderOf = async (accountIndex: number): Promise<TransactionSender> =>
      createSender({ client, account: devnet.wallet(accountIndex).account, store: await openStore(await mkdtemp(join(tmpdir(), 'assay-scripted-'))), log: silentLogger() });
    const senders = { asserter: await senderOf(DEVNET_ACCOUNTS.liar), challenger: await senderOf(DEVNET_ACCOUNTS.watcher) };
    const traces = new Map<string, Trace>();

    const traceOf = async (requestId: Hex, role: Role): Promise<Trace> => {
      const key = `${role}!${requestId}`;
      const request = (await store.get('requests', requestId))!;
      const run = { prepared, input: inputWords(model.program.input, hexToBytes(request.input)), seed: hexToBytes(request.seed) };
      const fault = role === 'challenger' ? null : await chooseFault({ model: published, ...run });
      const trace = traces.get(key) ?? (await openTrace({ ...run, ...(fault === null ? {} : { fault }) }));
      traces.set(key, trace);
      return trace;
    };
    const read = (blockNumber: bigint): Promise<unknown> => until(async () => (reader.agent.status().head?.number ?? 0n) >= blockNumber, `block ${blockNumber} read`);
    const send = async (role: Role, transaction: TransactionIntent): Promise<void> => read((await senders[role].send(transaction)).blockNumber).then(() => undefined);
    const dispute = async (gameId: Hex): Promise<DisputeRecord & { readonly mover: Role }> => {
      const record = (await store.get('disputes', gameId))!;
      return { ...record, mover: record.phase === 'challenger-to-move' ? 'challenger' : 'asserter' };
    };
    const now = async (): Promise<bigint> => (await client.getBlock()).timestamp;
    const options = (carrier: Carrier) => ({ arity: contracts.arity, carrier, kzg });

    const nextTurn = async (gameId: Hex, carrier: Carrier = 'calldata'): Promise<TransactionIntent> => {
      const { mover, ...record } = await dispute(gameId);
      const action = await nextAction(gameView(record, await claimedSplit(record, context), await now()), mover, await traceOf(record.requestId, mover), options(carrier));
      if (action === null) throw new Error(`game ${gameId} is over`);
      return actionTransaction(action, gameId, record, contracts);
    };
    const turn = async (gameId: Hex, carrier?: Carrier): Promise<void> => send((await dispute(gameId)).mover, await nextTurn(gameId, carrier));

    return {
      devnet, nextTurn, send, turn, dispute,
      environment: { ASSAY_RPC_URL: devnet.url, ASSAY_ASSERTIONS: devnet.deployment.resultAssertions, ASSAY_START_BLOCK: devnet.deployment.block.toString() },
      challenge: async (elements, carrier = 'calldata', inBatch = false) => {
        const requestId = await ask(devnet, published.contract, model.program.signature, elements);
        await until(async () => store.get('requests', requestId), 'the request read');
        const lie = await traceOf(requestId, 'asserter');
        await send('asserter', {
          intent: `assert:${requestId}`, to: contracts.assertions, value: contracts.bond,
          data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'assertResults', args: [zeroHash, [requestId], [bytesToHex(commitTensor(lie.output))]] }),
        });
        const assertion = (await store.list('assertions')).map(({ value }) => value).find(({ requestIds }) => requestIds.includes(requestId))!;
        const honest = await traceOf(requestId, 'challenger');
        const { opening, split } = await openingMove(honest.steps, honest, options(carrier));
        const { path, outputCommitment, index } = proveEntry(assertion, 0);
        const challengeWith = (shown: Hex): Hex =>
          encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'challenge', args: [assertion.assertionId, { index, requestId, outputCommitment, path }, shown, splitArgument(split)] });
        await send('challenger', {
          intent: `challenge:${requestId}`, to: contracts.assertions, value: await challengeStake(context, requestId), ...blobsOf(split),
          ...(inBatch
            ? { gas: 3_000_000n, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'batch', args: [[challengeWith(withOtherOutput(opening)), challengeWith(opening)]] }) }
            : { data: challengeWith(opening) }),
        });
        return (await store.list('disputes')).map(({ value }) => value).find((one) => one.requestId === requestId)!.gameId;
      },
      playOn: async (gameId, carrier) => {
        while (!isOver((await dispute(gameId)).phase)) await turn(gameId, carrier);
      },
      runOut: async (gameId) => {
        await warp(devnet, Number((await dispute(gameId)).allowance) + 1);
        await read(await client.getBlockNumber());
      },
      settle: async (gameId) => {
        const { mover: _, ...record } = await dispute(gameId);
        const phase = disputePhase(record, await now());
        const role = phase === 'asserter-won' ? 'asserter' : 'challenger';
        for (const transaction of transactionsAfter(record, role, phase, contracts)) await send(role, transaction);
      },
      trace: async (gameId, role) => traceOf((await dispute(gameId)).requestId, role),
      stop: () => devnet.stop(),
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}
