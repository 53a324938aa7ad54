import { describe, expect, test, vi } from 'vitest';
import { createPublicClient, http } from 'viem';
import { findAnvil, startAnvil } from './anvil.ts';

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const answers = async (url: string): Promise<boolean> => {
  try {
    await createPublicClient({ transport: http(url, { retryCount: 0 }) }).getBlockNumber();
    return true;
  } catch {
    return false;
  }
};

describe('startAnvil', () => {
  test('listens on a port of its own, and is gone after stop', async () => {
    const [first, second] = await Promise.all([startAnvil({ chainId: 900 }), startAnvil()]);
    expect(first.port).not.toBe(second.port);
    expect(await createPublicClient({ transport: http(first.url) }).getChainId()).toBe(900);
    await Promise.all([first.stop(), second.stop()]);
    await first.stop();
    await first.ended;
    expect(await answers(first.url)).toBe(false);
  });

  test('ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const anvil = await startAnvil({ signal: controller.signal });
    controller.abort();
    await anvil.ended;
    expect(await answers(anvil.url)).toBe(false);
  });

  test('says what is wrong with arguments that the binary refuses', async () => {
    await expect(startAnvil({ arguments: ['--no-such-flag'] })).rejects.toThrow(/anvil ended at its start/);
  });

  test('says which binary cannot be run', async () => {
    await expect(startAnvil({ binary: '/nowhere/anvil' })).rejects.toThrow(/cannot run anvil at \/nowhere\/anvil/);
  });
});

test('findAnvil prefers ASSAY_ANVIL', async () => {
  expect(await findAnvil({ ASSAY_ANVIL: '/opt/anvil' })).toBe('/opt/anvil');
});
