import { afterEach } from 'vitest';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { startDevnet } from '../devnet.ts';
import type { Devnet, DevnetOptions } from '../devnet.ts';
import { createLogger, silentLogger } from '../log.ts';
import { tinyModel } from './tiny-model.ts';

export const model = tinyModel();
export const { signature } = model.program;

/** An input of the model; another one for each number. */
export const image = (salt: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, index) => (index * 29 + salt * 7) % 256);

/** The sequencer's executor, and the one that checks it. */
export const executor = createWasmExecutor;
export const otherExecutor = createLiftedExecutor;

/**
 * Gives a function that starts a development chain with a tiny model and a sequencer; everything ends with the test. The window is long:
 * tests move the clock. ASSAY_TEST_LOG=1 prints what the nodes log.
 */
export function useDevnet(): (options?: Partial<DevnetOptions>) => Promise<Devnet> {
  const started: Devnet[] = [];
  afterEach(async () => {
    for (const devnet of started.splice(0)) await devnet.stop();
  });
  return async (options = {}) => {
    const devnet = await startDevnet({
      models: [{ model, fee: 10n ** 15n }],
      sequencerExecutor: executor(),
      parameters: { window: 300n },
      pollInterval: 20,
      batchDelay: 0,
      log: process.env.ASSAY_TEST_LOG === undefined ? silentLogger() : createLogger({ level: 'debug', format: 'pretty' }),
      ...options,
    });
    started.push(devnet);
    return devnet;
  };
}
