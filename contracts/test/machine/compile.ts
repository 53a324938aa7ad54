import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hex } from 'viem';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/assay');

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly deployedBytecode: { readonly object: string } } }>>>>;
}

/** A source and everything that it imports, by path from the repository's root. */
function sourcesFrom(path: string, found: Record<string, { content: string }> = {}): Record<string, { content: string }> {
  if (found[path] !== undefined) return found;
  const content = readFileSync(join(ROOT, path), 'utf8');
  found[path] = { content };
  for (const [, target] of content.matchAll(/^import [^;]*?"(\.[^"]+)";/gms)) sourcesFrom(posix.join(posix.dirname(path), target as string), found);
  return found;
}

/**
 * Compiles one contract as foundry.toml does and gives the code that a chain would run. What was compiled once is kept under
 * node_modules/.cache, by the hash of what went in.
 * @param path source from the repository's root, whose imports are relative
 */
export function compileContract(path: string, name: string): Hex {
  const input = JSON.stringify({
    language: 'Solidity',
    sources: sourcesFrom(path),
    settings: {
      viaIR: true, evmVersion: 'osaka', optimizer: { enabled: true, runs: 100_000 },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { [path]: { [name]: ['evm.deployedBytecode.object'] } },
    },
  });
  const cached = join(CACHE, `${createHash('sha256').update(input).digest('hex')}.hex`);
  try {
    return readFileSync(cached, 'utf8') as Hex;
  } catch {
    const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
    const output = JSON.parse(solc.compile(input)) as SolcOutput;
    const errors = (output.errors ?? []).map(({ formattedMessage }) => formattedMessage);
    const contract = output.contracts?.[path]?.[name];
    if (contract === undefined || errors.length > 0) throw new Error(`${path} does not compile:\n${errors.join('\n')}`);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(cached, `0x${contract.evm.deployedBytecode.object}`);
    return `0x${contract.evm.deployedBytecode.object}`;
  }
}
