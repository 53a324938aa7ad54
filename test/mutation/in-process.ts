import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createEVM } from '@ethereumjs/evm';
import type { EVM } from '@ethereumjs/evm';
import { createAddressFromString, hexToBytes } from '@ethereumjs/util';
import { bytesToHex } from 'viem';
import type { Hex } from 'viem';
import { compileQuickly, sourcesFrom } from '../../contracts/test/machine/compile.ts';
import { libraryCalls, machineCalls } from './calls.ts';
import type { Call } from './calls.ts';

const ADDRESS = createAddressFromString('0x00000000000000000000000000000000000a55a2');
/** Several times what any of the calls takes without the optimiser; a loop without an end stops here. */
const GAS_LIMIT = 3_000_000n;

/** What became of a mutant. */
export type Verdict = { readonly verdict: 'killed'; readonly by: string } | { readonly verdict: 'survived' } | { readonly verdict: 'does not compile' };

/** The first call that a contract answers wrongly; null when there is none. */
async function firstWrong(evm: EVM, code: Hex, calls: readonly Call[]): Promise<string | null> {
  await evm.stateManager.putCode(ADDRESS, hexToBytes(code));
  for (const { name, data, answer } of calls) {
    const { execResult } = await evm.runCall({ to: ADDRESS, data: hexToBytes(data), gasLimit: GAS_LIMIT });
    if (bytesToHex(execResult.returnValue) !== answer) return name;
  }
  return null;
}

/** Judges changed sources of the machine and of the libraries that have no storage, by calls of contracts that are compiled and run in this process. */
export class InProcessTests {
  readonly #evm: EVM;
  readonly #targets: readonly { readonly path: string; readonly name: string; readonly calls: readonly Call[]; readonly sources: ReadonlySet<string> }[];

  private constructor(evm: EVM) {
    this.#evm = evm;
    this.#targets = [
      { path: 'contracts/src/machine/WordMachine.sol', name: 'WordMachine', calls: machineCalls() },
      { path: 'test/mutation/Libraries.sol', name: 'Libraries', calls: libraryCalls() },
    ].map((target) => ({ ...target, sources: new Set(Object.keys(sourcesFrom(target.path))) }));
  }

  static async create(): Promise<InProcessTests> {
    return new InProcessTests(await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Osaka }) }));
  }

  /** Number of calls. */
  get size(): number {
    return this.#targets.reduce((sum, { calls }) => sum + calls.length, 0);
  }

  /** Whether a source takes part in what is tested here. */
  covers(path: string): boolean {
    return this.#targets.some(({ sources }) => sources.has(path));
  }

  /** Runs the calls with `source` in the place of the file at `path` (from the repository's root). */
  async judge(path: string, source: string): Promise<Verdict> {
    for (const target of this.#targets.filter(({ sources }) => sources.has(path))) {
      let code: Hex;
      try {
        code = compileQuickly(sourcesFrom(target.path, (file, original) => (file === path ? source : original)), target.path, target.name);
      } catch {
        return { verdict: 'does not compile' };
      }
      const by = await firstWrong(this.#evm, code, target.calls);
      if (by !== null) return { verdict: 'killed', by };
    }
    return { verdict: 'survived' };
  }
}
