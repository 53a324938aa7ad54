import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { ExitCode, UserError } from './errors.ts';

/** The mnemonic of every development chain; its keys are public. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk';

export interface AnvilOptions {
  /** Seconds between blocks; without it a block is mined for every transaction. */
  readonly blockTime?: number;
  /** 0 (default) takes any free port. */
  readonly port?: number;
  readonly chainId?: number;
  readonly accounts?: number;
  /** Further arguments for the binary. */
  readonly arguments?: readonly string[];
  /** Path of the binary; by default the one of the npm package, else the first on the PATH. */
  readonly binary?: string;
  /** Milliseconds until a start that prints no port is given up. */
  readonly startTimeout?: number;
  readonly signal?: AbortSignal;
}

export interface Anvil {
  readonly url: string;
  readonly port: number;
  /** Ends the chain and waits until its process is gone. May be called twice. */
  stop(): Promise<void>;
  /** Resolves when the process has ended, whatever the reason. */
  readonly ended: Promise<void>;
}

/** Starts a development chain. It is ended with this process, too. @throws UserError when the binary is missing or does not start. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  options.signal?.throwIfAborted();
  const binary = options.binary ?? (await findAnvil());
  const parameters = ['--port', String(options.port ?? 0), '--chain-id', String(options.chainId ?? 31337), '--hardfork', 'osaka'];
  if (options.blockTime !== undefined) parameters.push('--block-time', String(options.blockTime));
  if (options.accounts !== undefined) parameters.push('--accounts', String(options.accounts));
  const child = spawn(binary, [...parameters, ...(options.arguments ?? [])], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const endWithParent = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithParent);
  void ended.then(() => process.off('exit', endWithParent));
  const stop = (): Promise<void> => stopChild(child, ended);
  try {
    const port = await listeningPort(child, binary, options.startTimeout ?? 20_000);
    options.signal?.throwIfAborted();
    options.signal?.addEventListener('abort', () => void stop(), { once: true });
    return { url: `http://127.0.0.1:${port}`, port, stop, ended };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return ended;
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(patience);
}

function listeningPort(child: ChildProcess, binary: string, timeout: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let printed = '';
    let complaints = '';
    const fail = (message: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(new UserError(message, { exitCode: ExitCode.chain, hint: 'try `npm ci`, or set ASSAY_ANVIL to a working binary', cause }));
    };
    const timer = setTimeout(() => fail(`anvil did not start within ${timeout} ms (${binary})`), timeout);
    child.stdout?.on('data', (chunk: Buffer) => {
      if (printed === 'ready') return;
      printed += chunk.toString();
      const port = /Listening on [^\s:]+:(\d+)/.exec(printed)?.[1];
      if (port === undefined) return;
      printed = 'ready';
      clearTimeout(timer);
      resolve(Number(port));
    });
    child.stderr?.on('data', (chunk: Buffer) => { if (complaints.length < 2_000) complaints += chunk.toString(); });
    child.once('error', (error) => fail(`cannot run anvil at ${binary}: ${error.message}`, error));
    child.once('exit', (code, signal) => fail(`anvil ended at its start (${signal ?? `code ${code}`}): ${complaints.trim().split('\n').at(-1) ?? ''}`));
  });
}

/** Path of the anvil binary: ASSAY_ANVIL, the npm package for this platform, or the PATH. @throws UserError when there is none. */
export async function findAnvil(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.ASSAY_ANVIL !== undefined && environment.ASSAY_ANVIL !== '') return environment.ASSAY_ANVIL;
  const name = process.platform === 'win32' ? 'anvil.exe' : 'anvil';
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const candidates: string[] = [];
  try {
    const packaged = createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/package.json`);
    candidates.push(join(dirname(packaged), 'bin', name));
  } catch {
    // The package is optional: other platforms have anvil on the PATH.
  }
  for (const folder of (environment.PATH ?? '').split(delimiter)) if (folder !== '') candidates.push(join(folder, name));
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate;
  throw new UserError(`anvil is not installed for ${process.platform}-${process.arch}`, {
    exitCode: ExitCode.chain,
    hint: 'install Foundry (https://getfoundry.sh) so that `anvil` is on the PATH, or set ASSAY_ANVIL to the binary',
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
