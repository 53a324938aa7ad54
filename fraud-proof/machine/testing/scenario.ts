import { keccak256 } from '../../../deterministic-runtime/commitment/keccak.ts';
import { rootFromPath, treeDepth } from '../../../deterministic-runtime/commitment/merkle-tree.ts';
import { NOT_WRITTEN, tensorCommitment } from '../../../deterministic-runtime/commitment/tree.ts';
import type { Instruction } from '../../../deterministic-runtime/word-code/instruction.ts';
import { codeWords, decodeDescriptor } from '../descriptor.ts';
import { decodeHeader, operatorCount, slotCount } from '../header.ts';
import type { ProgramHeader } from '../header.ts';
import { step } from '../interpreter.ts';
import type { Path, ProvingEnvironment } from '../proof.ts';
import { machineContext } from '../state.ts';
import type { MachineState } from '../state.ts';
import { codeWordWith, encodeRawDescriptor, encodeRawHeader } from './encoding.ts';
import type { RawDescriptor, RawHeader } from './encoding.ts';
import type { Random } from './random.ts';

/** Everything that one step of a machine sees, without the trees that commit to it. */
export interface ScenarioParts {
  readonly header: Omit<RawHeader, 'operatorsRoot'>;
  /** The current operator's. An operand's commitment is replaced by `tensor`'s unless it is zero. */
  readonly descriptor: Omit<RawDescriptor, 'codeRoot'>;
  readonly instruction: Instruction;
  readonly state: Omit<MachineState, 'context' | 'slotsRoot'>;
  readonly seed: Uint8Array;
  /** What every constant, the input, and every written slot holds; null: commitments are zero. */
  readonly tensor: { readonly wordCount: number; readonly word: Uint8Array } | null;
}

/** A state, and an environment in which its step can be proven. */
export interface Scenario {
  readonly state: MachineState;
  readonly environment: ProvingEnvironment;
}

/** Stands for a commitment while it is not known yet. */
const WRITTEN = new Uint8Array(32).fill(1);

/** What a step asks of its environment. */
interface Questions {
  operator: number;
  codeIndex: number;
  slot: number;
  tensorIndex: number;
  store: { readonly word: number; readonly wordCount: number } | null;
}

/**
 * Builds the commitments around a scenario's parts. A step reads at most one path of each tree, so the trees are drawn path
 * by path, of random siblings, and their roots follow: any depth costs no more than its path.
 */
export function buildScenario(parts: ScenarioParts, random: Pick<Random, 'chance' | 'bytes'>): Scenario {
  const path = (depth: number): Path => Array.from({ length: depth }, () => (random.chance(0.3) ? NOT_WRITTEN : random.bytes(32)));
  const counts = decodeHeader(encodeRawHeader({ ...parts.header, operatorsRoot: NOT_WRITTEN }));
  const codeWord = codeWordWith(parts.instruction, parts.state.pc, random.bytes(32));
  const questions = questionsOf(parts, counts, codeWord);

  const tensorPath = path(treeDepth(Math.min(parts.tensor?.wordCount ?? 0, 2 ** 28)));
  const tensorRoot = rootFromPath(parts.tensor?.word ?? NOT_WRITTEN, questions.tensorIndex, tensorPath);
  const commitment = parts.tensor === null ? NOT_WRITTEN : tensorCommitment(tensorRoot, parts.tensor.wordCount);

  const rawDescriptor = { ...parts.descriptor, operands: parts.descriptor.operands.map((operand) => ({ ...operand, commitment: isZero(operand.commitment) ? NOT_WRITTEN : commitment })) };
  const codePath = path(treeDepth(codeWords(decodeDescriptor(encodeRawDescriptor({ ...rawDescriptor, codeRoot: NOT_WRITTEN })))));
  const descriptor = encodeRawDescriptor({ ...rawDescriptor, codeRoot: rootFromPath(codeWord, questions.codeIndex, codePath) });
  const operatorsPath = path(treeDepth(operatorCount(counts)));
  const header = encodeRawHeader({ ...parts.header, operatorsRoot: rootFromPath(keccak256(descriptor), questions.operator, operatorsPath) });

  const partialPath = questions.store === null ? [] : path(treeDepth(questions.store.wordCount)).map((node) => (questions.store?.word === 0 ? NOT_WRITTEN : node));
  const partialRoot = rootFromPath(NOT_WRITTEN, questions.store?.word ?? 0, partialPath);
  const current = questions.store === null || questions.store.word === 0 ? NOT_WRITTEN : tensorCommitment(partialRoot, questions.store.wordCount);
  const slotsPath = path(treeDepth(slotCount(counts)));
  const slotsRoot = rootFromPath(questions.store === null ? commitment : current, questions.slot, slotsPath);
  return {
    state: { ...parts.state, context: machineContext(keccak256(header), commitment, parts.seed), slotsRoot },
    environment: {
      header,
      inputCommitment: commitment,
      seed: parts.seed,
      descriptor: () => descriptor,
      descriptorPath: () => operatorsPath,
      codeWord: () => codeWord,
      codePath: () => codePath,
      slotCommitment: () => commitment,
      slotPath: () => slotsPath,
      tensor: () => ({ root: tensorRoot, wordCount: parts.tensor?.wordCount ?? 0, word: () => parts.tensor?.word ?? NOT_WRITTEN, path: () => tensorPath }),
      partialTensor: () => ({ root: partialRoot, path: partialPath }),
    },
  };
}

/** Runs the step once without commitments, to see what it reads. */
function questionsOf(parts: ScenarioParts, header: ProgramHeader, codeWord: Uint8Array): Questions {
  const questions: Questions = { operator: 0, codeIndex: 0, slot: 0, tensorIndex: 0, store: null };
  const written = parts.tensor === null ? NOT_WRITTEN : WRITTEN;
  const operands = parts.descriptor.operands.map((operand) => ({ ...operand, commitment: isZero(operand.commitment) ? NOT_WRITTEN : written }));
  step({ ...parts.state, context: NOT_WRITTEN, slotsRoot: NOT_WRITTEN }, {
    header,
    inputCommitment: written,
    seed: parts.seed,
    descriptor(operator) {
      questions.operator = operator;
      return decodeDescriptor(encodeRawDescriptor({ ...parts.descriptor, operands, codeRoot: NOT_WRITTEN }));
    },
    codeWord(_, index) {
      questions.codeIndex = index;
      return codeWord;
    },
    slotCommitment(slot) {
      questions.slot = slot;
      return written;
    },
    wordCount: () => BigInt(parts.tensor?.wordCount ?? 0),
    tensorWord(_, index) {
      questions.tensorIndex = index;
      return parts.tensor?.word ?? NOT_WRITTEN;
    },
    storeWord(slot, word, wordCount) {
      questions.slot = slot;
      questions.store = { word, wordCount };
      return NOT_WRITTEN;
    },
  });
  return questions;
}

const isZero = (word: Uint8Array): boolean => word.every((byte) => byte === 0);
