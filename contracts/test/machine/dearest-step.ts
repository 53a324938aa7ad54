import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { proveStep } from '../../../fraud-proof/machine/proof.ts';
import { hashState, Status } from '../../../fraud-proof/machine/state.ts';
import { buildScenario } from '../../../fraud-proof/machine/testing/scenario.ts';
import type { ScenarioParts } from '../../../fraud-proof/machine/testing/scenario.ts';
import type { Random } from '../../../fraud-proof/machine/testing/random.ts';
import type { WordMachineEvm } from './word-machine-evm.ts';

/** EIP-7825: gas that one transaction may take. */
export const TRANSACTION_GAS_LIMIT = 2n ** 24n;

/** What a step's price may depend on, each with values to try: the cheapest and the greatest that the machine admits among them. */
const DIMENSIONS = {
  op: Array.from({ length: 256 }, (_, op) => op),
  /** Prologue, body, epilogue, iterations: from one slot and operator to 2^32 slots of 12,288 operators. */
  sections: [[1, 0, 0, 0], [4, 2, 3, 16], [1, 4096, 1, 1000], [4096, 4096, 4096, 1], [4096, 4096, 4096, 2 ** 20 - 2]],
  codeLength: [1, 47, 4096, 65535],
  outputRows: [1, 1000, 2 ** 20, 2 ** 28],
  elementBytes: [1, 4],
  operandCount: [0, 1, 4, 8, 255],
  operandKind: [0, 1, 2, 3, 4, 5, 6],
  tensorWords: [0, 1, 1000, 2 ** 20, 2 ** 28, 2 ** 28 + 1],
  /** Where in the slots and in the words, as fractions. */
  slot: [0, 0.5, 1],
  word: [0, 0.5, 1],
  position: [-1, 0, 0.5, 1, 2],
  /** What every register holds: zeros are cheaper calldata. */
  registers: [0n, -1n, 0x7f7f_7f7f_7f7f_7f7fn],
} as const;
type Dimension = keyof typeof DIMENSIONS;
type Choice = { readonly [K in Dimension]: number };

const NAMES = Object.keys(DIMENSIONS) as Dimension[];

export interface PricedStep {
  readonly op: number;
  /** Values chosen of each dimension. */
  readonly choice: Readonly<Record<string, unknown>>;
  /** Of a transaction that calls `step`: with the 21,000, the calldata and the floor of EIP-7623. */
  readonly gas: bigint;
  readonly execution: bigint;
  readonly proofBytes: number;
}

/** 21,000 + max(calldata + execution, EIP-7623's floor). */
export function transactionGas(data: Uint8Array, execution: bigint): bigint {
  const zeros = data.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  const tokens = BigInt(zeros + 4 * (data.length - zeros));
  const [usual, floor] = [4n * tokens + execution, 10n * tokens];
  return 21_000n + (usual > floor ? usual : floor);
}

/** Siblings without zeros, which are the dearest. */
const DENSE = { chance: () => false, bytes: (length: number) => new Uint8Array(length).fill(0xa5) };

function partsOf(choice: Choice): ScenarioParts {
  const value = <K extends Dimension>(name: K): (typeof DIMENSIONS)[K][number] => DIMENSIONS[name][choice[name]]! as (typeof DIMENSIONS)[K][number];
  const [prologue, body, epilogue, maxIterations] = value('sections');
  const [codeLength, rows, tensorWords, registers] = [value('codeLength'), value('outputRows'), value('tensorWords'), value('registers')];
  const slots = prologue + body * maxIterations + epilogue;
  const op = value('op');
  const lanes = op === 0x14 ? 32 : op === 0x15 ? 8 : 1;
  const position = value('position') < 0 ? -1n : BigInt(Math.max(Math.round(value('position') * (tensorWords * lanes - 1)), 0));
  const full = new Uint8Array(32).fill(0xa5);
  const word = registers === 0n ? new Uint8Array(32) : full;
  return {
    header: { prologue, body, epilogue, maxIterations, filler: registers === 0n ? 0n : 2n ** 64n - 1n },
    descriptor: {
      codeLength, rows, columns: value('elementBytes') === 4 ? 8 : 32, elementBytes: value('elementBytes'), operandCount: value('operandCount'),
      operands: Array.from({ length: 8 }, () => ({ kind: value('operandKind'), index: 0, commitment: full })),
    },
    // The position in r0; iteration 0, of a source that is none; LOOP's bound and the operand are x.
    instruction: { op, d: 1, a: 0, b: 31, x: 0 },
    state: {
      slot: Math.round(value('slot') * (slots - 1)), word: Math.round(value('word') * (rows - 1)), pc: codeLength - 1, status: Status.RUNNING,
      counters: [0, 0, 0, 0], scalars: Array.from({ length: 16 }, (_, register) => (register === 0 ? position : registers)), vectors: [word, word, word, word],
    },
    seed: full,
    tensor: { wordCount: tensorWords, word: full },
  };
}

/** Gas of the transaction that proves a step. @throws Error when the contract refuses the proof */
async function price(contract: WordMachineEvm, choice: Choice): Promise<PricedStep> {
  const parts = partsOf(choice);
  const { state, environment } = buildScenario(parts, DENSE);
  const { proof } = proveStep(state, environment);
  const outcome = await contract.step(hashState(state), proof);
  if (!('value' in outcome)) throw new Error(`opcode 0x${parts.instruction.op.toString(16)}: the contract refuses its proof: ${outcome.refusal}`);
  const data = hexToBytes(contract.stepCall(hashState(state), proof) satisfies Hex);
  return {
    op: parts.instruction.op, gas: transactionGas(data, outcome.gas), execution: outcome.gas, proofBytes: proof.length,
    choice: Object.fromEntries(NAMES.map((name) => [name, String(DIMENSIONS[name][choice[name]])])),
  };
}

/** The best that changing one thing after another leads to. */
async function climb(contract: WordMachineEvm, start: Choice, fixed: readonly Dimension[]): Promise<PricedStep> {
  let [choice, best] = [start, await price(contract, start)];
  for (let better = true; better;) {
    better = false;
    for (const name of NAMES.filter((candidate) => !fixed.includes(candidate))) {
      for (const index of DIMENSIONS[name].keys()) {
        const changed = { ...choice, [name]: index };
        const priced = index === choice[name] ? best : await price(contract, changed);
        if (priced.gas <= best.gas) continue;
        [choice, best, better] = [changed, priced, true];
      }
    }
  }
  return best;
}

/**
 * The dearest step found of each of the given opcodes, the dearest first: from random starts, sizes, places and contents are changed one after another while that
 * makes the step dearer.
 */
export async function dearestSteps(contract: WordMachineEvm, opcodes: readonly number[], random: Random, starts: number): Promise<PricedStep[]> {
  const found: PricedStep[] = [];
  for (const op of opcodes) {
    let best: PricedStep | undefined;
    for (let start = 0; start < starts; start += 1) {
      const choice = Object.fromEntries(NAMES.map((name) => [name, random.below(DIMENSIONS[name].length)])) as unknown as Choice;
      const climbed = await climb(contract, { ...choice, op }, ['op']);
      if (best === undefined || climbed.gas > best.gas) best = climbed;
    }
    if (best !== undefined) found.push(best);
  }
  return found.sort((left, right) => Number(right.gas - left.gas));
}

/** `60,123 gas, 0.4 % of 2^24`. */
export const shareOfLimit = (gas: bigint): string => `${gas.toLocaleString('en')} gas, ${((Number(gas) / Number(TRANSACTION_GAS_LIMIT)) * 100).toFixed(2)} % of 2^24`;
