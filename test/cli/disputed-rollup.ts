import { randomFaults } from '../../rollup-node/inference/faults.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../../rollup-node/devnet.ts';
import type { Devnet } from '../../rollup-node/devnet.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import type { DisputeRecord } from '../../rollup-node/store/tables.ts';
import { ask, until } from '../../rollup-node/testing/requests.ts';
import { executor, image, model, otherExecutor, signature } from '../../rollup-node/testing/small-devnet.ts';
import type { AssayNode } from '../../rollup-node/node.ts';

/** A rollup with one dispute: a liar has asserted a wrong result and is silent, a watcher has challenged it. */
export interface DisputedRollup {
  readonly devnet: Devnet;
  readonly watcher: AssayNode;
  readonly gameId: string;
  /** What the commands need to find the rollup. */
  readonly environment: Readonly<Record<string, string>>;
  /** Lets the liar play on, until the dispute is settled. */
  playOn(): Promise<DisputeRecord>;
}

const FAULT = 7n;

/** Starts it. The liar sponsors as the sequencer's account. */
export async function openDisputedRollup(): Promise<DisputedRollup> {
  const devnet = await startDevnet({
    models: [{ model, fee: 10n ** 15n }], sequencerExecutor: executor(), fault: randomFaults(FAULT), parameters: { window: 300n }, pollInterval: 20, batchDelay: 0, log: silentLogger(),
  });
  try {
    await ask(devnet, devnet.models[0]!.contract, signature, image(3));
    await until(async () => (await devnet.sequencer.context.store.list('assertions')).length > 0, 'the lie asserted');
    await devnet.sequencer.stop();
    const watcher = await devnet.addNode({ name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher });
    const { gameId } = await until(async () => (await watcher.context.store.list('disputes'))[0]?.value, 'the lie challenged');
    return {
      devnet, watcher, gameId,
      environment: { ASSAY_RPC_URL: devnet.url, ASSAY_ASSERTIONS: devnet.deployment.resultAssertions, ASSAY_START_BLOCK: devnet.deployment.block.toString() },
      playOn: async () => {
        await devnet.addNode({ name: 'liar-again', roles: {}, executor: executor(), accountIndex: DEVNET_ACCOUNTS.sequencer, chooseFault: randomFaults(FAULT) });
        return until(async () => (await watcher.context.store.list('disputes')).find(({ value }) => value.settled)?.value, 'the dispute settled');
      },
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}
