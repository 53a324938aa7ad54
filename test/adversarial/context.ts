import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zeroHash } from 'viem';
import type { Hex } from 'viem';
import { CALLDATA_ARITY } from '../../fraud-proof/dispute/split.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { AgentContext } from '../../rollup-node/agent/duty.ts';
import { createProblems } from '../../rollup-node/agent/problems.ts';
import type { ChainClient } from '../../rollup-node/chain/client.ts';
import { answerKey } from '../../rollup-node/chain/projection.ts';
import type { TransactionIntent } from '../../rollup-node/chain/sender.ts';
import { UnservableRequestError } from '../../rollup-node/inference/inference.ts';
import type { Inference } from '../../rollup-node/inference/inference.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import { numberKey, openStore } from '../../rollup-node/store/store.ts';
import type { Change } from '../../rollup-node/store/store.ts';
import type { AssertionRecord, RequestRecord } from '../../rollup-node/store/tables.ts';
import { addressOf, idOf } from '../../rollup-node/testing/records.ts';

const WEI_PER_GAS = 10n ** 9n;

/** What a duty's surroundings are made of in a test. */
export interface Surroundings {
  readonly requests?: readonly RequestRecord[];
  readonly assertions?: readonly AssertionRecord[];
  /** The node's own result for a request; throws what the executor would. */
  readonly compute: (request: RequestRecord) => Hex;
  /** Models that the node has. */
  readonly models?: readonly Hex[];
  /** Whether a transaction can be sent; throws what the chain would. */
  readonly send?: (transaction: TransactionIntent) => void;
}

/** A duty's context over a real store, with a chain and executors that do as they are told; `sent` are the transactions that went out. */
export async function surround({ requests = [], assertions = [], compute, models = [idOf(1)], send }: Surroundings): Promise<{ context: AgentContext; sent: TransactionIntent[] }> {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-adversarial-')));
  await store.write([
    ...requests.flatMap((request): Change[] => [
      { table: 'requests', key: request.requestId, value: request },
      ...(request.status === 'pending' ? [{ table: 'pendingRequests', key: numberKey(request.index), value: request.requestId } as const] : []),
      ...(request.status === 'delivered' ? [{ table: 'unclaimedFees', key: request.requestId, value: true } as const] : []),
    ]),
    ...assertions.flatMap((assertion): Change[] => [
      { table: 'assertions', key: assertion.assertionId, value: assertion },
      { table: 'openAssertions', key: assertion.assertionId, value: true },
      ...assertion.requestIds.map((requestId, index): Change => ({
        table: 'answers', key: answerKey(requestId, assertion.assertionId),
        value: { assertionId: assertion.assertionId, index, outputCommitment: assertion.outputCommitments[index] as Hex, sponsor: assertion.sponsor },
      })),
    ]),
  ]);
  const sent: TransactionIntent[] = [];
  const factsOf = async (requestId: Hex): Promise<readonly [Hex, Hex, Hex]> => {
    const request = await store.get('requests', requestId);
    return [request?.modelId ?? zeroHash, request?.inputCommitment ?? zeroHash, request?.seed ?? zeroHash];
  };
  const client = {
    chain: { id: 31_337 },
    readContract: async ({ functionName, args }: { functionName: string; args: readonly Hex[] }) => {
      if (functionName === 'facts') return factsOf(args[0] as Hex);
      return functionName === 'owed' ? 0n : { challengerStake: 10n };
    },
    getBalance: async () => 10n ** 18n,
    getTransactionCount: async () => 0,
    getCode: async () => '0x',
    getStorageAt: async () => zeroHash,
    getGasPrice: async () => WEI_PER_GAS,
  } as unknown as ChainClient;
  const inference: Inference = {
    models: new Map(models.map((model) => [model, { modelId: model } as never])),
    result: async (request) => {
      if (!models.includes(request.modelId)) throw new UnservableRequestError('no such model');
      return { output: new Uint8Array(32), outputCommitment: compute(request as RequestRecord), iterations: 0, executor: 'test', milliseconds: 1 };
    },
    // Enough to open a game with; nothing here plays one.
    trace: async () => ({ steps: 2n, stateAt: async (steps: readonly bigint[]) => steps.map((step) => idOf(Number(step))), finalOpening: async () => '0x' }) as unknown as Trace,
    keepTraces: async () => undefined,
    dispose: async () => undefined,
  };
  const contracts = {
    registry: addressOf(0xa11), inbox: addressOf(0xa12), assertions: addressOf(0xa13), game: addressOf(0xa14), machine: addressOf(0xa15), window: 300n, bond: 1_000n, bounty: 10n, arity: CALLDATA_ARITY,
  };
  const context: AgentContext = {
    client, contracts, store, inference, log: silentLogger(), metrics: createMetrics(), problems: createProblems(), self: addressOf(9),
    sender: {
      address: addressOf(9),
      send: async (transaction) => {
        send?.(transaction);
        sent.push(transaction);
        return { hash: idOf(0xabc), blockNumber: 1n, gasUsed: 1n, gasPrice: WEI_PER_GAS };
      },
      resume: async () => undefined,
      pending: () => 0,
      oldest: () => 0,
    },
  };
  return { context, sent };
}

/** Seconds of block time, early enough for every record's window. */
export const HEAD = { number: 1n, hash: idOf(0xb10c), timestamp: 10n } as const;
