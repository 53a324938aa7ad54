import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { solidityCompiler, sourcesFrom } from '../../contracts/test/machine/compile.ts';

const LIBRARIES = Object.fromEntries(['SafeTransferLib', 'LibClone'].map((name) =>
  [`solady/utils/${name}.sol`, { content: readFileSync(createRequire(import.meta.url).resolve(`solady/src/utils/${name}.sol`), 'utf8') }]));

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

/** What the legacy pipeline has no stack for: `prove` keeps less on it while it makes its settlement. Does the same. */
const shallow = (source: string): string => source
  .replace(/(function prove\([\s\S]*?)(uint256 steps [\s\S]*?)(bool moverWins)/, '$1{ $2 } $3')
  .replace(/(function prove\([\s\S]*?)finish\(\s*gameId,\s*current,\s*clock,\s*(Settlement\(\{[\s\S]*?\}\))\s*\);/, '$1Settlement memory settlement = $2; finish(gameId, current, clock, settlement);');

/** Name of the first contract of a source, given by its path from the repository's root. */
export function contractIn(path: string): string {
  const name = /^contract (\w+)/m.exec(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))?.[1];
  if (name === undefined) throw new Error(`there is no contract in ${path}`);
  return name;
}

/**
 * What creates a source's first contract, without the optimiser: by the legacy pipeline, which takes a second, or by the other where the stack is too deep for it.
 * @param changed sources that take the place of others, by path
 * @throws Error with the compiler's messages when it does not compile
 */
export function compileCreation(path: string, changed: Readonly<Record<string, string>> = {}): string {
  const name = contractIn(path);
  const edited = sourcesFrom(path, (file, original) => changed[file] ?? original);
  const compile = (viaIR: boolean): { readonly code: string | undefined; readonly errors: string } => {
    const sources = { ...Object.fromEntries(Object.entries(edited).map(([file, { content }]) => [file, { content: viaIR ? content : shallow(content) }])), ...LIBRARIES };
    const settings = { viaIR, evmVersion: 'osaka', optimizer: { enabled: false }, outputSelection: { [path]: { [name]: ['evm.bytecode.object'] } } };
    const output = JSON.parse(solidityCompiler().compile(JSON.stringify({ language: 'Solidity', sources, settings }))) as Output;
    const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error').map(({ formattedMessage }) => formattedMessage).join('\n');
    const code = errors === '' ? output.contracts?.[path]?.[name]?.evm.bytecode.object : undefined;
    return { code, errors };
  };
  let { code, errors } = compile(false);
  if (code === undefined && errors.includes('Stack too deep')) ({ code, errors } = compile(true));
  if (code === undefined) throw new Error(`${path} does not compile:\n${errors}`);
  return `0x${code}`;
}
