import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startAnvil } from '../anvil.ts';
import { beaconBlobs, blobSourcesOf } from '../chain/blob-source.ts';
import type { BlobSource } from '../chain/blob-source.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { watchBlobs } from './blobs.ts';
import type { AgentContext } from './duty.ts';
import { createProblems } from './problems.ts';

const MAINNET = 1;
const head = { number: 1n, hash: '0x', timestamp: 1n } as const;
const lines: string[] = [];
afterEach(() => { lines.length = 0; });

function contextWith(blobSources: readonly BlobSource[], chainId = MAINNET): AgentContext {
  const log = createLogger({ format: 'json', stream: { write: (line) => lines.push(line) } });
  return { client: { chain: { id: chainId } }, blobSources, metrics: createMetrics(), problems: createProblems(), log } as unknown as AgentContext;
}

const readable = async ({ metrics }: AgentContext): Promise<number | undefined> => (await metrics.blobsReadable.get()).values[0]?.value;

/** Runs what a duty finds to do; gives how many tasks that was. */
async function look(duty: ReturnType<typeof watchBlobs>, context: AgentContext): Promise<number> {
  const tasks = await duty(context, head);
  for (const { run } of tasks) await run(new AbortController().signal);
  return tasks.length;
}

test('a beacon node that keeps too few columns is named at once, and again each minute until it gives blobs; then each hour', async () => {
  let refuses = true;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const data = path.endsWith('genesis') ? { genesis_time: '1' } : path.endsWith('spec') ? { SECONDS_PER_SLOT: '12' } : [];
    if (refuses && path.includes('/beacon/blob')) response.writeHead(500).end('{"code":500,"message":"Insufficient data columns to reconstruct blobs: required 64, but only 4 were found."}');
    else response.end(JSON.stringify({ data }));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const context = contextWith([beaconBlobs(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)]);
  let clock = 0;
  const duty = watchBlobs(() => clock);
  expect(await look(duty, context)).toBe(1);
  expect(context.problems.list()).toEqual([expect.stringMatching(/^claims in blobs could not be read \(the beacon node at http:.*it answered 500 to eth\/v1\/beacon\/blobs\/head \(Insufficient data columns .*\): set --beacon to a node that keeps blobs$/)]);
  expect(await readable(context)).toBe(0);
  clock = 59_000;
  expect(await look(duty, context)).toBe(0);
  clock = 60_000;
  expect(await look(duty, context)).toBe(1);
  // Once in the log.
  expect(lines).toHaveLength(1);
  refuses = false;
  clock = 120_000;
  expect(await look(duty, context)).toBe(1);
  expect([context.problems.list(), await readable(context)]).toEqual([[], 1]);
  clock = 3_600_000;
  expect(await look(duty, context)).toBe(0);
  clock = 3_720_000;
  expect(await look(duty, context)).toBe(1);
  server.close();
});

test('without a beacon node it is said, except where the chain gives blobs itself', async () => {
  const { client } = contextWith([]);
  const [bare, development] = [contextWith(blobSourcesOf(client, undefined)), contextWith(blobSourcesOf(client, undefined), 31_337)];
  for (const context of [bare, development]) expect(await look(watchBlobs(), context)).toBe(0);
  expect([bare.problems.list(), await readable(bare)]).toEqual([[expect.stringContaining('no beacon node is set')], 0]);
  expect([development.problems.list(), await readable(development)]).toEqual([[], 1]);
});

test('anvil is a beacon node that gives blobs; an address where none is, is not', async () => {
  const anvil = await startAnvil();
  const [right, wrong] = [contextWith([beaconBlobs(anvil.url)]), contextWith([beaconBlobs('http://127.0.0.1:9')])];
  for (const context of [right, wrong]) await look(watchBlobs(), context);
  await anvil.stop();
  expect(right.problems.list()).toEqual([]);
  expect(wrong.problems.list()).toEqual([expect.stringContaining('the beacon node at http://127.0.0.1:9: ')]);
});
