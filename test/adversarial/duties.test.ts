import { decodeFunctionData } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { collectEarnings } from '../../rollup-node/agent/collect.ts';
import type { AgentContext, Duty } from '../../rollup-node/agent/duty.ts';
import type { RequestRecord } from '../../rollup-node/store/tables.ts';
import { answerRequests } from '../../rollup-node/sequencer/sequencer.ts';
import { addressOf, assertion, dispute, idOf, request } from '../../rollup-node/testing/records.ts';
import { checkAssertions, correctResults } from '../../rollup-node/watcher/watcher.ts';
import { HEAD, surround } from './context.ts';

const { signal } = new AbortController();

/** Every task that one look calls for, failures as values. */
async function look(duty: Duty, context: AgentContext): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled((await duty(context, HEAD)).map(({ run }) => run(signal)));
}

/** What the node computes in these tests: request `n` has output `0x500 + n`, as `assertion()` says. */
const truth = ({ index }: RequestRecord): Hex => idOf(0x500 + Number(index));
const lie = idOf(0xbad);
const requests = (count: number, changes: Partial<RequestRecord> = {}): RequestRecord[] => Array.from({ length: count }, (_, index) => request(index, changes));

describe('watcher', () => {
  test('an entry that its executor fails on does not shield the lie behind it', async () => {
    const compute = (asked: RequestRecord): Hex => {
      if (asked.index === 0n) throw new Error('executors disagree');
      return truth(asked);
    };
    const { context, sent } = await surround({ requests: requests(3), assertions: [assertion(1, [0, 1, 2], { outputCommitments: [idOf(0x500), idOf(0x501), lie] })], compute });
    await look(checkAssertions(), context);
    expect(sent.map(({ intent }) => intent)).toEqual([`challenge:${idOf(0x201)}`]);
    const { args } = decodeFunctionData({ abi: resultAssertionsAbi, data: sent[0]!.data });
    expect(args?.[1]).toMatchObject({ index: 2n, requestId: idOf(0x102), outputCommitment: lie });
  });

  test('an entry that failed is looked at again, and one that is right then ends the check', async () => {
    let failures = 1;
    const compute = (asked: RequestRecord): Hex => {
      failures -= 1;
      if (failures >= 0) throw new Error('out of memory');
      return truth(asked);
    };
    const { context, sent } = await surround({ requests: requests(2), assertions: [assertion(1, [0, 1])], compute });
    const duty = checkAssertions();
    expect((await look(duty, context)).map(({ status }) => status)).toEqual(['rejected']);
    expect((await look(duty, context)).map(({ status }) => status)).toEqual(['fulfilled']);
    expect(await look(duty, context)).toEqual([]);
    expect(sent).toEqual([]);
  });

  test('a wrong entry that it cannot afford does not shield a cheaper one', async () => {
    const { context, sent } = await surround({
      requests: requests(2),
      assertions: [assertion(1, [0, 1], { outputCommitments: [lie, lie] })],
      compute: truth,
      send: ({ data }) => {
        if (decodeFunctionData({ abi: resultAssertionsAbi, data }).args?.[1] === 0n) throw new Error('insufficient funds');
      },
    });
    await look(checkAssertions(), context);
    expect(sent).toHaveLength(1);
  });

  test('a challenge that a reorganisation took back is made again; one that stands is not', async () => {
    const { context, sent } = await surround({ requests: requests(1), assertions: [assertion(1, [0], { outputCommitments: [lie] })], compute: truth });
    const duty = checkAssertions();
    await look(duty, context);
    await look(duty, context);
    expect(sent.map(({ intent }) => intent)).toEqual(Array.from({ length: 2 }, () => `challenge:${idOf(0x201)}`));
    const game = dispute(1, { challenger: context.self });
    await context.store.write([
      { table: 'disputes', key: game.gameId, value: game },
      { table: 'assertionDisputes', key: `${game.assertionId}!${game.gameId}`, value: game.gameId },
    ]);
    expect(await look(duty, context)).toEqual([]);
  });

  test('corrects as many results at once as fit a transaction, the oldest first', async () => {
    const all = requests(150);
    const { context, sent } = await surround({ requests: all, assertions: [assertion(1, all.map((_, index) => index), { outputCommitments: all.map(() => lie), defeated: true })], compute: truth });
    const duty = correctResults();
    await look(duty, context);
    await look(duty, context);
    const { args } = decodeFunctionData({ abi: resultAssertionsAbi, data: sent[0]!.data });
    expect(args?.[1]).toEqual(all.slice(0, 64).map(({ requestId }) => requestId));
  });
});

describe('sequencer', () => {
  test('a thousand requests for models that nobody has do not keep it from the next one', async () => {
    const strange = requests(1_500, { modelId: idOf(2) });
    const known = request(1_500);
    const { context } = await surround({ requests: [...strange, known], compute: truth });
    const tasks = await answerRequests({ size: 8, delay: 0 })(context, HEAD);
    expect(tasks.map(({ key }) => key)).toContain(`compute:${known.requestId}`);
  });

  test('no bond is locked for a request whose deadline comes before a result can be final', async () => {
    const hopeless = request(0, { finality: 'final', deadline: HEAD.timestamp + 300n });
    const impatient = request(1, { finality: 'asserted', deadline: HEAD.timestamp + 300n });
    const fair = request(2, { finality: 'final', deadline: HEAD.timestamp + 900n });
    const { context } = await surround({ requests: [hopeless, impatient, fair], compute: truth });
    const tasks = await answerRequests({ size: 8, delay: 0 })(context, HEAD);
    expect(tasks.map(({ key }) => key)).toEqual([`compute:${impatient.requestId}`, `compute:${fair.requestId}`]);
  });
});

test('fees are not claimed at a loss', async () => {
  const delivered = { status: 'delivered' } as const;
  const { context, sent } = await surround({
    requests: [request(0, { ...delivered, fee: 1n }), request(1, { ...delivered, fee: 10n ** 15n })],
    assertions: [assertion(1, [0, 1], { sponsor: addressOf(9), challengeableUntil: 5n })],
    compute: truth,
  });
  await look(collectEarnings, context);
  expect(sent.filter(({ intent }) => intent.startsWith('fee:')).map(({ intent }) => intent)).toEqual([`fee:${idOf(0x101)}`]);
});
