import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { getAddress, isAddress } from 'viem';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { PrivateKeyAccount } from 'viem/accounts';
import { z } from 'zod';
import { UserError, reasonOf } from './errors.ts';
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

/** Every setting, with its default. Files use these names, the environment ASSAY_RPC_URL, the command line --rpc-url. */
const settings = z.strictObject({
  /** JSON-RPC endpoint of L1. */
  rpcUrl: url,
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
  /** File with the private key, 32 bytes in hex. */
  keyFile: z.string().min(1).optional(),
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
  /** Times the network's fee estimate that transactions offer at most. */
  maximumFeeMultiplier: integer(1, 100).default(4),
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

/** The account that transactions are sent from: ASSAY_PRIVATE_KEY, else the key file. @throws UserError when there is neither. */
export async function loadAccount(config: Pick<Config, 'privateKey' | 'keyFile'>): Promise<PrivateKeyAccount> {
  if (config.privateKey !== undefined) return toAccount(config.privateKey, 'ASSAY_PRIVATE_KEY');
  if (config.keyFile === undefined) throw new UserError('no key to send transactions with', { hint: 'set --key-file or ASSAY_PRIVATE_KEY' });
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

function toAccount(key: string, origin: string): PrivateKeyAccount {
  try {
    return privateKeyToAccount(key as Hex);
  } catch {
    throw new UserError(`${origin} holds no private key`, { hint: 'expected 32 bytes in hex, not zero' });
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
