import { keccak256 } from '../../../deterministic-runtime/commitment/keccak.ts';
import { MerkleTree } from '../../../deterministic-runtime/commitment/merkle-tree.ts';
import type { Commitment } from '../../../deterministic-runtime/commitment/merkle-tree.ts';
import { commitTensor, NOT_WRITTEN, tensorCommitment, wordTree } from '../../../deterministic-runtime/commitment/tree.ts';
import { encodeCode } from '../../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../../deterministic-runtime/word-code/instruction.ts';
import { decodeDescriptor, outputWords } from '../descriptor.ts';
import type { StepEnvironment, TensorReference } from '../environment.ts';
import { decodeHeader, slotCount } from '../header.ts';
import { readOnly } from '../proof.ts';
import type { Path, ProvableTensor, ProvingEnvironment } from '../proof.ts';
import { initialState, machineContext } from '../state.ts';
import type { MachineState } from '../state.ts';
import { encodeRawDescriptor, encodeRawHeader, joinWords } from './encoding.ts';
import type { RawHeader } from './encoding.ts';

/** An operator in the machine's own terms. */
export interface MachineOperator {
  readonly code: readonly Instruction[];
  readonly rows: number;
  readonly columns: number;
  readonly elementBytes: 1 | 4;
  /** `constant`: index into the program's constants. */
  readonly operands: readonly { readonly kind: number; readonly index?: number; readonly constant?: number }[];
}

/** A small program in the machine's own terms: operators in the order prologue, body, epilogue. */
export interface MachineProgram extends Omit<RawHeader, 'operatorsRoot'> {
  readonly operators: readonly MachineOperator[];
  readonly constants: readonly Uint8Array[];
}

/** A machine with everything in memory, which follows its own run: `step` of each state in turn can be run and proven. */
export class MemoryMachine implements ProvingEnvironment {
  readonly header: Uint8Array;
  readonly inputCommitment: Uint8Array;
  readonly seed: Uint8Array;
  readonly initial: MachineState;
  /** Steps with this environment store their words here. */
  readonly running: StepEnvironment;
  /** Words of each written tensor so far, padded. */
  readonly tensors = new Map<number, Uint8Array>();
  readonly #program: MachineProgram;
  readonly #input: Uint8Array;
  readonly #descriptors: readonly Uint8Array[];
  readonly #slots: number;

  constructor(program: MachineProgram, input: Uint8Array, seed: Uint8Array) {
    this.#program = program;
    this.#input = input;
    this.seed = seed;
    this.inputCommitment = commitTensor(input);
    this.#descriptors = program.operators.map((operator) => encodeRawDescriptor({
      ...operator,
      codeRoot: wordTree(encodeCode(operator.code)).root,
      codeLength: operator.code.length,
      operandCount: operator.operands.length,
      operands: operator.operands.map(({ kind, index, constant }) => ({
        kind, index: index ?? 0, commitment: constant === undefined ? NOT_WRITTEN : commitTensor(program.constants[constant] as Uint8Array),
      })),
    }));
    this.header = encodeRawHeader({ ...program, operatorsRoot: this.#operatorTree().root });
    this.#slots = slotCount(decodeHeader(this.header));
    this.initial = initialState(machineContext(keccak256(this.header), this.inputCommitment, seed));
    const plain = readOnly(this);
    this.running = {
      ...plain,
      storeWord: (slot, word, wordCount, value) => {
        const root = plain.storeWord(slot, word, wordCount, value);
        this.tensors.set(slot, joinWords([...this.#words(slot, word), value]));
        return root;
      },
    };
  }

  descriptor(operator: number): Uint8Array {
    return this.#descriptors[operator] as Uint8Array;
  }
  descriptorPath(operator: number): Path {
    return this.#operatorTree().path(operator);
  }
  codeWord(operator: number, index: number): Uint8Array {
    return encodeCode(this.#code(operator)).subarray(32 * index, 32 * index + 32);
  }
  codePath(operator: number, index: number): Path {
    return wordTree(encodeCode(this.#code(operator))).path(index);
  }
  slotCommitment(slot: number): Uint8Array {
    const words = this.tensors.get(slot);
    if (words === undefined) return NOT_WRITTEN;
    const wordCount = this.#wordCount(slot);
    return tensorCommitment(new MerkleTree(wordCount, [{ start: 0, nodes: words }]).root, wordCount);
  }
  slotPath(slot: number): Path {
    const runs = [...this.tensors.keys()].sort((left, right) => left - right).map((start) => ({ start, nodes: this.slotCommitment(start) }));
    return new MerkleTree(this.#slots, runs).path(slot);
  }
  tensor(reference: TensorReference): ProvableTensor {
    const words = this.#tensorWords(reference);
    return { root: wordTree(words).root, wordCount: words.length / 32, word: (index) => words.subarray(32 * index, 32 * index + 32), path: (index) => wordTree(words).path(index) };
  }
  partialTensor(slot: number, word: number, wordCount: number): { readonly root: Uint8Array; readonly path: Path } {
    const tree = new MerkleTree(wordCount, [{ start: 0, nodes: joinWords(this.#words(slot, word)) }]);
    return { root: tree.root, path: tree.path(word) };
  }

  #operatorTree(): Commitment {
    return wordTree(joinWords(this.#descriptors.map(keccak256)));
  }
  #code(operator: number): readonly Instruction[] {
    return this.#program.operators[operator]?.code ?? [];
  }
  #wordCount(slot: number): number {
    const { prologue, body, maxIterations } = this.#program;
    const start = prologue + maxIterations * body;
    const operator = slot < prologue ? slot : slot < start ? prologue + ((slot - prologue) % body) : slot - start + prologue + body;
    return outputWords(decodeDescriptor(this.descriptor(operator)));
  }
  #words(slot: number, count: number): Uint8Array[] {
    const words = this.tensors.get(slot) ?? new Uint8Array(0);
    return Array.from({ length: count }, (_, index) => words.subarray(32 * index, 32 * index + 32));
  }
  #tensorWords(reference: TensorReference): Uint8Array {
    if (reference.kind === 'input') return this.#input;
    if (reference.kind === 'slot') return this.tensors.get(reference.slot) as Uint8Array;
    const constant = this.#program.constants.find((words) => commitTensor(words).every((byte, index) => byte === reference.commitment[index]));
    return constant as Uint8Array;
  }
}
