import { compileQuickly, sourcesFrom } from '../../contracts/test/machine/compile.ts';
import { concat, encodeAbiParameters, keccak256, numberToHex, size } from 'viem';
import type { Hex } from 'viem';
import type { StateSource } from '../../fraud-proof/dispute/player.ts';

const PATH = 'contracts/test/fakes/FakeMachine.sol';
const MASK = (1n << 248n) - 1n;

const compiled = new Map<string, Hex>();

/** Creation code of the fake machine of the contracts' tests, which finishes after `steps` with the one output that it knows. Compiled once a process. */
export function countingMachine(steps: bigint, output: Hex): Hex {
  const known = compiled.get(`${steps} ${output}`);
  if (known !== undefined) return known;
  const sources = sourcesFrom(PATH, (path, source) =>
    path !== PATH ? source : source
      .replace('uint256 private immutable STEPS;', `uint256 private constant STEPS = ${steps};`)
      .replace('bytes32 private immutable OUTPUT;', `bytes32 private constant OUTPUT = ${output};`)
      .replace(/constructor\([^]*?\n {4}\}/, ''));
  const code = compileQuickly(sources, PATH, 'FakeMachine');
  // PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: gives what follows as the contract's code.
  const creation = concat(['0x61', numberToHex(size(code), { size: 2 }), '0x80600a3d393df3', code]);
  compiled.set(`${steps} ${output}`, creation);
  return creation;
}

const as248Bits = (hash: Hex): Hex => numberToHex(BigInt(hash) & MASK, { size: 32 });
const WORDS = [{ type: 'bytes32' }, { type: 'bytes32' }] as const;

/** What tells inferences apart. */
export const contextOf = (modelId: Hex, inputCommitment: Hex, seed: Hex): Hex => keccak256(concat([modelId, inputCommitment, seed]));

const counted = (context: Hex, step: bigint): Hex => as248Bits(keccak256(concat([context, numberToHex(step, { size: 32 })])));
const finished = (context: Hex, output: Hex): Hex =>
  as248Bits(keccak256(encodeAbiParameters([{ type: 'string' }, ...WORDS], ['finished', context, output])));

/** The state that both sides start from. */
export const initialState = (context: Hex): Hex => counted(context, 0n);

/**
 * What a player takes an inference's states to be.
 * @param lie from step `fault` on its states are made up, and the last one holds `output`; absent for an honest player
 */
export function statesOf(context: Hex, steps: bigint, output: Hex, lie?: { readonly fault: bigint; readonly output: Hex }): StateSource {
  const last = lie?.output ?? output;
  const stateAt = (step: bigint): Hex => {
    if (step >= steps) return finished(context, last);
    return lie !== undefined && step >= lie.fault ? counted(last, step) : counted(context, step);
  };
  return {
    stateAt: async (numbers) => numbers.map(stateAt),
    proofAt: async (step) => concat([context, numberToHex(step, { size: 32 })]),
    finalOpening: async () => last,
  };
}
