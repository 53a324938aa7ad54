import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { watchingAccount } from '../chain/remote-signer.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { createLogger } from '../log.ts';
import { ask, until } from '../testing/requests.ts';
import { image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();

/** A log that can be read. */
function memory(): { readonly lines: Record<string, unknown>[]; readonly log: ReturnType<typeof createLogger> } {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLogger({ level: 'info', format: 'json', stream: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) } }) };
}

test('a dry run says what it would stake, and sends nothing; it needs neither key nor money', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const { lines, log } = memory();
  const { address } = privateKeyToAccount(generatePrivateKey());
  const dry = await net.addNode({ name: 'dry', roles: { watch: true }, executor: otherExecutor(), accountIndex: 0, account: watchingAccount(address), dryRun: true, log });
  await ask(net, net.models[0]!.contract, signature, image(0));
  const told = (kind: string) => lines.filter(({ msg, intent }) => msg === 'dry run: would send' && String(intent).startsWith(kind));
  await until(async () => told('challenge:').length > 0 && told('assert:').length > 0, 'it says what it would send');
  const [challenge] = told('challenge:');
  expect(challenge).toMatchObject({ replay: 'succeeds', to: net.deployment.resultAssertions, fee: expect.stringMatching(/^at most 0\.\d+ ETH at/) as unknown });
  expect(parseEther(String(challenge!.stake).replace(' ETH', ''))).toBeGreaterThan(0n);
  expect(Number(challenge!.gas)).toBeGreaterThan(50_000);
  // Said once, though every look finds it again.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told('challenge:')).toHaveLength(1);
  expect(lines.map(({ msg }) => msg)).not.toContain('challenged');
  expect(await net.client.getTransactionCount({ address })).toBe(0);
  expect(await dry.context.store.list('transactions')).toEqual([]);
  expect(dry.agent.status().problems).toEqual([expect.stringMatching(/has 0 ETH; [\d.]+ are needed/)]);
}, 40_000);

test("looks over a running watcher's shoulder, and names its moves", async () => {
  const net = await start({ fault: randomFaults(7n), watcherExecutor: otherExecutor() });
  const { lines, log } = memory();
  await net.watcher!.stop();
  const shadowed = net.wallet(DEVNET_ACCOUNTS.watcher).account.address;
  const active = await net.addNode({ name: 'active', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, pollInterval: 300 });
  await net.addNode({ name: 'dry', roles: { watch: true }, executor: otherExecutor(), accountIndex: 0, account: watchingAccount(shadowed), dryRun: true, log });
  await ask(net, net.models[0]!.contract, signature, image(0));
  await until(async () => (await active.context.store.list('disputes')).some(({ value }) => value.settled), 'the dispute is settled', 30_000);
  const sent = (await active.context.store.list('transactions')).map(({ value }) => value);
  const named = lines.filter(({ msg }) => msg === 'dry run: would send').map(({ intent }) => intent);
  expect(named.filter((intent) => /^(move|prove):/.test(String(intent))).length).toBeGreaterThan(0);
  const moves = new Set(sent.map(({ intent }) => intent));
  expect(named.filter((intent) => /^(move|prove):/.test(String(intent)) && !moves.has(String(intent)))).toEqual([]);
}, 40_000);
