import { Command, Option } from 'commander';
import type { ConfigKey } from '../config.ts';
import { flagName } from '../setting-names.ts';

/** What each setting is; their defaults are in config.ts. A private key has no flag. */
const DESCRIPTIONS: Readonly<Record<Exclude<ConfigKey, 'privateKey'>, string>> = {
  rpcUrl: 'JSON-RPC endpoint of L1, or several, separated by commas',
  quorum: 'how many of several endpoints have to say the same before it is believed (1)',
  maximumEndpointLag: 'blocks that one of several endpoints may be behind the others (5)',
  chainId: 'refuse to work on another chain than this',
  assertions: 'address of the rollup\'s ResultAssertions contract',
  startBlock: 'block of the contracts\' deployment (0)',
  dataDirectory: 'folder of the store (assay-data)',
  models: 'bundles, separated by commas',
  executor: 'auto, webgpu, wasm, lifted or word-machine (auto)',
  verifyWith: 'a second executor that must agree before a bond stands on a result',
  hasher: 'auto, wasm or webgpu: what commits to tensors in a dispute (auto)',
  traceMegabytes: 'megabytes that the traces of disputed inferences keep together (1074)',
  keyFile: 'file with the private key; or set ASSAY_PRIVATE_KEY',
  signerUrl: 'remote signer instead of a key: JSON-RPC with eth_signTransaction',
  account: 'the account, where the key does not say: of a remote signer, or of a dry run without a key',
  pollInterval: 'milliseconds between looks at the chain (2000)',
  maximumHeadAge: 'seconds that the newest block may be old; 0 switches the check off (120)',
  reorganizationDepth: 'blocks kept for undoing a reorganisation (128)',
  logRange: 'blocks asked for in one eth_getLogs (2000)',
  apiHost: 'where the HTTP API listens (127.0.0.1)',
  apiPort: 'its port (8645)',
  api: 'false: no HTTP API (true)',
  batchSize: 'most answers in one assertion (64)',
  batchDelay: 'milliseconds that an answer waits for others (1000)',
  minimumFee: 'wei that a request has to bring to be answered (0)',
  maximumFeeMultiplier: 'times the first offer that a waiting transaction goes up to by itself (4); what the network asks is followed beyond that',
  maximumFee: 'gwei a unit of gas that a transaction offers at most (no limit)',
  claims: 'calldata or blobs: what claims in disputes travel in (calldata)',
  beacon: 'beacon node to read blobs from, where others put their claims into them',
  dryRun: 'do everything but send: log what would be sent',
  logLevel: 'trace, debug, info, warn, error, fatal or silent (info)',
  logFormat: 'auto, json or pretty (auto)',
};

type DescribedKey = keyof typeof DESCRIPTIONS;

/** Adds `--config` and a flag for each of the settings. */
export function addConfigOptions(command: Command, keys: readonly DescribedKey[] = Object.keys(DESCRIPTIONS) as DescribedKey[]): Command {
  command.addOption(new Option('--config <file>', 'JSON file with settings; flags and ASSAY_… variables come before it'));
  for (const key of keys) command.addOption(new Option(`${flagName(key)} ${key === 'dryRun' ? '[value]' : '<value>'}`, DESCRIPTIONS[key]));
  return command;
}
