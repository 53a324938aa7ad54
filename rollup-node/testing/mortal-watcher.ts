/**
 * A watcher that kills its own process (SIGKILL) when it reaches the n-th kill point; for kill-evidence.ts, which starts it.
 * Arguments: RPC URL, ResultAssertions, start block, bundle, data folder, n (0: never). The key is in ASSAY_PRIVATE_KEY. Prints the points that it reaches.
 */
import { writeSync } from 'node:fs';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { connect } from '../chain/client.ts';
import { loadModels } from '../inference/models.ts';
import { createLogger, silentLogger } from '../log.ts';
import { createNode } from '../node.ts';
import { openStore } from '../store/store.ts';
import { killPoints } from './kill-points.ts';

const [rpcUrl = '', assertions = '', startBlock = '0', bundle = '', dataDirectory = '', limit = '0'] = process.argv.slice(2);
let count = 0;
const points = killPoints((point) => {
  count += 1;
  // Synchronous: what was printed has left the process when it dies.
  writeSync(1, `${point}\n`);
  if (count === Number(limit)) process.kill(process.pid, 'SIGKILL');
});
const log = process.env.ASSAY_TEST_LOG === undefined ? silentLogger() : createLogger({ level: 'info', format: 'pretty' });
const node = await createNode({
  roles: { watch: true },
  client: await connect({ rpcUrl, pollInterval: 20 }),
  assertions: assertions as Address,
  account: privateKeyToAccount(process.env.ASSAY_PRIVATE_KEY as Hex),
  store: points.wrap(await openStore(dataDirectory)),
  models: await loadModels([bundle], log),
  executor: createWasmExecutor(),
  startBlock: BigInt(startBlock),
  pollInterval: 20,
  // The evidence moves the chain's clock.
  maximumHeadAge: 0,
  probe: points.probe,
  log,
});
await node.start();
