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

export type Sources = Readonly<Record<string, { readonly content: string }>>;

/** A source and everything that it imports, by path from the repository's root; `edit` may change each. */
export function sourcesFrom(path: string, edit: (path: string, source: string) => string = (_, source) => source): Sources {
  const found: Record<string, { content: string }> = {};
  const visit = (file: string): void => {
    if (found[file] !== undefined) return;
    const content = edit(file, readFileSync(join(ROOT, file), 'utf8'));
    found[file] = { content };
    for (const [, target] of content.matchAll(/^import [^;]*?"(\.[^"]+)";/gms)) visit(posix.join(posix.dirname(file), target as string));
  };
  visit(path);
  return found;
}

/** solc's standard input for one contract. */
function compilerInput(sources: Sources, path: string, name: string, pipeline: 'ir' | 'legacy'): string {
  return JSON.stringify({
    language: 'Solidity',
    sources,
    settings: {
      viaIR: pipeline === 'ir', evmVersion: 'osaka', optimizer: { enabled: pipeline === 'ir', runs: 100_000 },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { [path]: { [name]: ['evm.deployedBytecode.object'] } },
    },
  });
}

function runCompiler(input: string, path: string, name: string): Hex {
  const output = JSON.parse(solidityCompiler().compile(input)) as SolcOutput;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error').map(({ formattedMessage }) => formattedMessage);
  const contract = output.contracts?.[path]?.[name];
  if (contract === undefined || errors.length > 0) throw new Error(`${path} does not compile:\n${errors.join('\n')}`);
  return `0x${contract.evm.deployedBytecode.object}`;
}

/** npm's solc. */
export const solidityCompiler = (): { compile(input: string): string } => createRequire(import.meta.url)('solc') as { compile(input: string): string };

/** Compiles without the optimiser, and keeps nothing. @throws Error with the compiler's messages when it does not compile */
export const compileQuickly = (sources: Sources, path: string, name: string): Hex => runCompiler(compilerInput(sources, path, name, 'legacy'), path, name);

/**
 * Compiles one contract as foundry.toml does and gives the code that a chain would run. What was compiled once is kept under
 * node_modules/.cache, by the hash of what went in.
 * @param path source from the repository's root, whose imports are relative
 * @throws Error with the compiler's messages when it does not compile
 */
export function compileContract(path: string, name: string): Hex {
  const input = compilerInput(sourcesFrom(path), path, name, 'ir');
  const cached = join(CACHE, `${createHash('sha256').update(input).digest('hex')}.hex`);
  try {
    return readFileSync(cached, 'utf8') as Hex;
  } catch {
    const code = runCompiler(input, path, name);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(cached, code);
    return code;
  }
}
