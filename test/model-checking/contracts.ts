import { createRequire } from 'node:module';
import type { Abi, Hex } from 'viem';
import { sourcesFrom } from '../../contracts/test/machine/compile.ts';

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

/**
 * Compiles a contract that tests alone need, without the optimiser, and gives what creates it.
 * @param path source from the repository's root, whose imports are relative
 * @throws Error with the compiler's messages when it does not compile
 */
export function compileForTest(path: string, name: string): { readonly abi: Abi; readonly bytecode: Hex } {
  const input = {
    language: 'Solidity',
    sources: sourcesFrom(path),
    settings: { evmVersion: 'osaka', outputSelection: { [path]: { [name]: ['abi', 'evm.bytecode.object'] } } },
  };
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const contract = output.contracts?.[path]?.[name];
  if (contract === undefined) throw new Error(`${path} does not compile:\n${(output.errors ?? []).map(({ formattedMessage }) => formattedMessage).join('\n')}`);
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}
