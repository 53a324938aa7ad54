import { describe, expect, test } from 'vitest';
import { encodeAbiParameters, isAddressEqual, keccak256, zeroHash } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../contracts/abi/generated.ts';
import { claimsRoot } from '../fraud-proof/dispute/claims.ts';
import { CALLDATA_ARITY } from '../fraud-proof/dispute/split.ts';
import { DEVNET_ACCOUNTS } from './devnet.ts';
import { randomFaults } from './inference/faults.ts';
import { decodeModelResult } from './model-call.ts';
import { ask, callOptions, delivered, until, warp } from './testing/requests.ts';
import { executor, image, model, otherExecutor, signature, useDevnet } from './testing/small-devnet.ts';

const picture = image(3);
const start = useDevnet();

/** What the model says, without any rollup. */
async function expected(input: Uint8Array): Promise<number> {
  const prepared = await executor().prepare(model);
  const words = new Uint8Array(64);
  words.set(input);
  const { output } = await prepared.run(words);
  return new DataView(output.buffer, output.byteOffset).getInt32(0, true);
}

describe('end to end', () => {
  test('an honest request is answered, delivered when final, and paid for', async () => {
    const net = await start({ watcherExecutor: otherExecutor() });
    const contract = net.models[0]!.contract;
    const [early, late] = [await ask(net, contract, signature, picture, callOptions(0)), await ask(net, contract, signature, picture)];
    const first = await delivered(net.sequencer, early);
    expect(decodeModelResult(signature, first.delivery!.result)).toBe(await expected(picture));
    await until(async () => (await net.watcher!.context.metrics.entriesChecked.get()).values.some(({ labels, value }) => labels.verdict === 'right' && value === 2), 'both answers checked');
    await warp(net, 300);
    const second = await delivered(net.sequencer, late);
    expect(second.delivery!.result).toBe(first.delivery!.result);
    const assertion = await net.sequencer.context.store.get('assertions', second.delivery!.assertionId);
    expect(second.delivery!.timestamp).toBeGreaterThanOrEqual(assertion!.challengeableUntil);
    expect(first.delivery!.timestamp).toBeLessThan(assertion!.challengeableUntil);
    const sequencer = net.wallet(DEVNET_ACCOUNTS.sequencer).account.address;
    for (const id of [early, late]) {
      const { feeTo } = await until(async () => { const request = await net.sequencer.context.store.get('requests', id); return request?.feeTo !== undefined && request; }, 'fee claimed');
      expect(isAddressEqual(feeTo!, sequencer)).toBe(true);
    }
    await until(async () => (await net.sequencer.context.store.get('assertions', assertion!.assertionId))?.bondReleased, 'bond back');
    expect(await net.sequencer.context.store.list('disputes')).toEqual([]);
  }, 60_000);

  test('a lie is found, disputed down to one instruction and defeated; the right result is delivered instead', async () => {
    const net = await start({ fault: randomFaults(7n), watcherExecutor: otherExecutor() });
    const contract = net.models[0]!.contract;
    const requestId = await ask(net, contract, signature, picture);
    const watcher = net.watcher!;
    const dispute = await until(async () => (await watcher.context.store.list('disputes')).find(({ value }) => value.settled)?.value, 'dispute settled');
    await until(async () => (await watcher.context.store.list('assertions')).length > 1, 'the right result sponsored');
    await warp(net, 300);
    const request = await delivered(watcher, requestId);
    expect(decodeModelResult(signature, request.delivery!.result)).toBe(await expected(picture));
    expect(dispute).toMatchObject({ phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/), settled: true });
    const gameAt = (blockNumber: bigint) => net.client.readContract({ address: net.deployment.dissectionGame, abi: dissectionGameAbi, functionName: 'game', args: [dispute.gameId], blockNumber });
    const game = await gameAt(await net.client.getBlockNumber({ cacheTime: 0 }));
    expect(game.claims, 'cleared at the end').toBe(zeroHash);
    const [end] = await net.client.getContractEvents({ address: net.deployment.dissectionGame, abi: dissectionGameAbi, eventName: 'Settled', args: { gameId: dispute.gameId }, fromBlock: 0n });
    // What storage had of the claims is what the log's states hash to.
    const { first, inner, last } = dispute.split;
    const commitment = encodeAbiParameters([{ type: 'bytes32' }, { type: 'address' }, { type: 'address' }], [claimsRoot([first, ...inner, last], CALLDATA_ARITY), dispute.asserter, dispute.challenger]);
    expect((await gameAt(end!.blockNumber - 1n)).claims).toBe(keccak256(commitment));
    expect(game.clock).toMatchObject({
      turnStartedAt: Number(dispute.turnStartedAt), asserterRemaining: Number(dispute.asserterRemaining), challengerRemaining: Number(dispute.challengerRemaining),
      closed: true,
    });
    const lie = await watcher.context.store.get('assertions', dispute.assertionId);
    expect(lie).toMatchObject({ defeated: true, bondReleased: false });
    expect(isAddressEqual(lie!.sponsor, net.wallet(DEVNET_ACCOUNTS.sequencer).account.address)).toBe(true);
    const right = await watcher.context.store.get('assertions', request.delivery!.assertionId);
    expect(isAddressEqual(right!.sponsor, watcher.context.self)).toBe(true);
    const paid = await until(async () => (await watcher.context.store.get('disputes', dispute.gameId))?.paidOut, 'stakes paid out');
    expect(isAddressEqual(paid.to, watcher.context.self)).toBe(true);
    expect(paid.paid).toBeGreaterThan(dispute.challengerStake);
    const owed = (): Promise<bigint> => net.client.readContract({ address: net.deployment.resultAssertions, abi: resultAssertionsAbi, functionName: 'owed', args: [watcher.context.self] });
    await until(async () => (await owed()) === 0n && (await watcher.context.store.get('disputes', dispute.gameId))!.bounty > 0n, 'bounty withdrawn');
  }, 60_000);

  test('whoever attacks a right result loses its stake', async () => {
    const net = await start({ watcherExecutor: otherExecutor() });
    const attacker = await net.addNode({ name: 'attacker', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(3n) });
    const requestId = await ask(net, net.models[0]!.contract, signature, picture);
    // The attacker sponsors its own answer, too, which the watcher disputes: the clock must not run over either game.
    const disputes = await until(async () => {
      const all = (await net.sequencer.context.store.list('disputes')).map(({ value }) => value);
      return all.length > 1 && all.every(({ settled }) => settled) && all;
    }, 'both disputes settled');
    const dispute = disputes.find(({ challenger }) => isAddressEqual(challenger, attacker.context.self))!;
    await warp(net, 300);
    const request = await delivered(net.sequencer, requestId);
    expect(decodeModelResult(signature, request.delivery!.result)).toBe(await expected(picture));
    expect(dispute).toMatchObject({ phase: 'asserter-won', assertionId: request.delivery!.assertionId });
    const paid = await until(async () => (await net.sequencer.context.store.get('disputes', dispute.gameId))?.paidOut, 'stakes paid out');
    expect(isAddressEqual(paid.to, net.sequencer.context.self)).toBe(true);
  }, 60_000);
});
