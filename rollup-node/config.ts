import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { getAddress, isAddress, parseGwei } from 'viem';
import type { Address, Hex, LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';
import { remoteAccount, watchingAccount } from './chain/remote-signer.ts';
import { UserError, reasonOf } from './errors.ts';
import { HASHER_NAMES } from './inference/hasher-names.ts';
import { LOG_LEVELS } from './log.ts';
import { environmentName, flagName } from './setting-names.ts';

export { environmentName, flagName };

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const integer = (low: number, high: number): z.ZodType<number> =>
  z.coerce.number({ error: 'must be a number' }).int('must be a whole number').min(low, `must be at least ${low}`).max(high, `must be at most ${high}`);
const address = z.string().refine((text) => isAddress(text, { strict: false }), 'must be an address: 0x and 40 hex digits')
  .transform((text): Address => getAddress(text));
const executorName = z.enum(['auto', 'webgpu', 'wasm', 'lifted', 'word-machine']);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], { error: 'must be true or false' });
const list = z.union([z.array(z.string().min(1)), z.string().transform((text) => text.split(',').map((item) => item.trim()).filter((item) => item !== ''))]);

const urls = list.pipe(z.array(url).min(1, 'must be an http or https URL, or several separated by commas'));
const gwei = z.union([z.string(), z.number().transform(String)]).pipe(z.string().regex(/^\d+(\.\d{1,9})?$/, 'must be a number of gwei')).transform((text) => parseGwei(text));

/** Every setting, with its default. Files use these names, the environment ASSAY_RPC_URL, the command line --rpc-url. */
const settings = z.strictObject({
  /** JSON-RPC endpoints of L1: one, or several that are compared. */
  rpcUrl: urls,
  /** How many of several endpoints have to say the same before it is believed. */
  quorum: integer(1, 100).default(1),
  /** Blocks that one of several endpoints may be behind the others. */
  maximumEndpointLag: integer(0, 10_000).default(5),
  /** Refuses to work on another chain than this. */
  chainId: integer(1, Number.MAX_SAFE_INTEGER).optional(),
  /** The rollup's ResultAssertions contract; the other contracts' addresses follow from it. */
  assertions: address,
  /** Block to read events from: the contracts' deployment. */
  startBlock: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  /** Folder of the store. */
  dataDirectory: z.string().min(1).default('assay-data'),
  /** Folders of model bundles. */
  models: list.default([]),
  executor: executorName.default('auto'),
  /** A second executor that must give the same bits before a bond stands on a result. */
  verifyWith: executorName.optional(),
  /** What commits to tensors in a dispute. */
  hasher: z.enum(HASHER_NAMES).default('auto'),
  /** Megabytes that the traces of disputed inferences keep together. */
  traceMegabytes: integer(0, 1_000_000).default(1_074),
  /** File with the private key, 32 bytes in hex. */
  keyFile: z.string().min(1).optional(),
  /** A remote signer (JSON-RPC eth_signTransaction), which has the key. */
  signerUrl: url.optional(),
  /** The account to send from, where the key does not say: of a remote signer, or of a dry run without a key. */
  account: address.optional(),
  privateKey: z.string().regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x and 64 hex digits').transform((text) => text as Hex).optional(),
  /** Milliseconds between looks at the chain. */
  pollInterval: integer(10, 600_000).default(2_000),
  /** Seconds that the newest block may be old before the view of L1 counts as stale; 0 switches the check off. */
  maximumHeadAge: integer(0, 86_400).default(120),
  /** Blocks kept for undoing a reorganisation of the chain. */
  reorganizationDepth: integer(1, 10_000).default(128),
  /** Blocks asked for in one eth_getLogs. */
  logRange: integer(1, 1_000_000).default(2_000),
  apiHost: z.string().min(1).default('127.0.0.1'),
  apiPort: integer(0, 65_535).default(8_645),
  /** False: no HTTP API. */
  api: flag.default(true),
  /** Most answers in one assertion. */
  batchSize: integer(1, 1_024).default(64),
  /** Milliseconds that an answer waits for others before it is posted. */
  batchDelay: integer(0, 3_600_000).default(1_000),
  /** Wei that a request has to bring to be answered. */
  minimumFee: z.union([z.string().regex(/^\d+$/, 'must be a whole number of wei'), z.number().int('must be a whole number of wei').min(0, 'must not be negative')]).transform(BigInt).default(0n),
  /** Times the network's fee estimate, at first or by now, that transactions offer at most. */
  maximumFeeMultiplier: integer(1, 100).default(4),
  /** Gwei a unit of gas that a transaction offers at most, whatever the network asks. */
  maximumFee: gwei.optional(),
  /** What this node's claims in disputes travel in. */
  claims: z.enum(['calldata', 'blobs']).default('calldata'),
  /** Beacon node (consensus layer), where blobs with others' claims are read. */
  beacon: url.optional(),
  /** Everything but sending. */
  dryRun: flag.default(false),
  logLevel: z.enum(LOG_LEVELS).default('info'),
  logFormat: z.enum(['auto', 'json', 'pretty']).default('auto'),
});

export type Config = z.output<typeof settings>;
export type ConfigKey = keyof Config;

/** Names of all settings. */
export const CONFIG_KEYS = Object.keys(settings.shape) as readonly ConfigKey[];

export interface ConfigSources {
  /** From the command line, by setting name; undefined ones don't count. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: NodeJS.ProcessEnv;
  /** Path of a JSON file; ASSAY_CONFIG names one, too. */
  readonly file?: string;
}

/**
 * The configuration: flags before environment before file before defaults. Paths in a file are relative to it.
 * @throws UserError naming each wrong setting and where it came from.
 */
export async function loadConfig(sources: ConfigSources = {}): Promise<Config> {
  const environment = sources.environment ?? process.env;
  const file = sources.file ?? nonEmpty(environment.ASSAY_CONFIG);
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const take = (key: string, value: unknown, origin: string): void => {
    if (value === undefined) return;
    values[key] = value;
    origins[key] = origin;
  };
  if (file !== undefined) for (const [key, value] of Object.entries(await readConfigFile(file))) take(key, value, file);
  for (const key of CONFIG_KEYS) take(key, nonEmpty(environment[environmentName(key)]), environmentName(key));
  for (const [key, value] of Object.entries(sources.flags ?? {})) if ((CONFIG_KEYS as readonly string[]).includes(key)) take(key, value, flagName(key as ConfigKey));
  if (sources.flags?.privateKey !== undefined) {
    throw new UserError('a private key does not belong on the command line, where every user of this machine can read it', { hint: 'use --key-file or ASSAY_PRIVATE_KEY' });
  }
  const parsed = settings.safeParse(values);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => complaint(issue, origins, values));
  throw new UserError(`configuration: ${complaints.join('; ')}`, { hint: 'see docs/node-operators.md' });
}

function complaint(issue: z.core.$ZodIssue, origins: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>>): string {
  if (issue.code === 'unrecognized_keys') return `unknown setting ${issue.keys.map((key) => `"${key}" in ${origins[key] ?? '?'}`).join(', ')}`;
  const key = String(issue.path[0]) as ConfigKey;
  if (values[key] === undefined) return `${key} is missing: set ${flagName(key)} or ${environmentName(key)}`;
  return `${key} (${origins[key]}) ${issue.message.startsWith('must') ? issue.message : `is wrong: ${issue.message}`}`;
}

async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`cannot read the configuration ${file}: ${reasonOf(error)}`, { cause: error });
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${reasonOf(error)}`, { cause: error });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new UserError(`${file} must hold one JSON object`);
  if ('privateKey' in content) throw new UserError(`${file} holds a private key`, { hint: 'put it into a file of its own and name that in "keyFile", or set ASSAY_PRIVATE_KEY' });
  const relative = (path: unknown): unknown => (typeof path === 'string' ? resolve(dirname(file), path) : path);
  const { dataDirectory, keyFile, models, ...rest } = content as Record<string, unknown>;
  return {
    ...rest,
    ...(dataDirectory === undefined ? {} : { dataDirectory: relative(dataDirectory) }),
    ...(keyFile === undefined ? {} : { keyFile: relative(keyFile) }),
    ...(models === undefined ? {} : { models: Array.isArray(models) ? models.map(relative) : models }),
  };
}

/**
 * The account that transactions are sent from: ASSAY_PRIVATE_KEY, the key file, or a remote signer. A dry run needs no key.
 * @throws UserError when there is none, or a key and a signer
 */
export async function loadAccount(config: Partial<Pick<Config, 'privateKey' | 'keyFile' | 'signerUrl' | 'account' | 'dryRun'>>): Promise<LocalAccount> {
  const found = await accountOf(config);
  if (config.account !== undefined && config.account !== getAddress(found.address)) throw new UserError(`the key is that of ${found.address}, not of ${config.account}`, { hint: 'leave --account away, or use its key' });
  return found;
}

async function accountOf(config: Parameters<typeof loadAccount>[0]): Promise<LocalAccount> {
  const hasKey = config.privateKey !== undefined || config.keyFile !== undefined;
  if (config.signerUrl !== undefined) {
    if (hasKey) throw new UserError('there are a key and a remote signer to sign with', { hint: 'set one of them' });
    return remoteAccount(config.signerUrl, config.account);
  }
  if (config.privateKey !== undefined) return toAccount(config.privateKey, 'ASSAY_PRIVATE_KEY');
  if (config.keyFile === undefined) {
    if (config.dryRun === true && config.account !== undefined) return watchingAccount(config.account);
    throw new UserError('no key to send transactions with', { hint: 'set --key-file, --signer-url or ASSAY_PRIVATE_KEY; for a dry run, --account is enough' });
  }
  const { keyFile } = config;
  const unreadable = (error: unknown): never => {
    throw new UserError(`cannot read the key file ${keyFile}: ${reasonOf(error)}`, { cause: error });
  };
  const { mode } = await stat(keyFile).catch(unreadable);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UserError(`other users can read the key file ${keyFile}`, { hint: `chmod 600 ${keyFile}` });
  }
  const text = (await readFile(keyFile, 'utf8').catch(unreadable)).trim();
  return toAccount(text.startsWith('0x') ? text : `0x${text}`, keyFile);
}

function toAccount(key: string, origin: string): LocalAccount {
  try {
    return privateKeyToAccount(key as Hex);
  } catch {
    throw new UserError(`${origin} holds no private key`, { hint: 'expected 32 bytes in hex, not zero' });
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
