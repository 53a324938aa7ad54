import { commitTensor, NOT_WRITTEN, treeRoot } from '../../../deterministic-runtime/commitment/tree.ts';
import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import { placeOf, slotCount } from '../../../deterministic-runtime/program/program.ts';
import { byteLength, WORD_BYTES } from '../../../deterministic-runtime/program/tensor.ts';
import { encodeCode } from '../../../deterministic-runtime/word-code/instruction.ts';
import { decodeDescriptor } from '../../machine/descriptor.ts';
import type { OperatorDescriptor } from '../../machine/descriptor.ts';
import type { StepEnvironment, TensorReference } from '../../machine/environment.ts';
import { decodeHeader } from '../../machine/header.ts';
import type { ProgramHeader } from '../../machine/header.ts';

const hex = (bytes: Uint8Array): string => bytes.join();

/** A whole model in memory, stepped from its first state: it stores what the machine stores, and hashes everything anew each time. */
export class SteppedMachine implements StepEnvironment {
  readonly header: ProgramHeader;
  readonly inputCommitment: Uint8Array;
  readonly seed: Uint8Array;
  readonly #model: EncodedModel;
  readonly #descriptors: readonly OperatorDescriptor[];
  readonly #code: readonly Uint8Array[];
  readonly #byCommitment = new Map<string, Uint8Array>();
  readonly #commitments: Uint8Array;
  readonly #current = new Map<number, Uint8Array>();

  constructor(model: EncodedModel, input: Uint8Array, seed: Uint8Array) {
    this.#model = model;
    this.header = decodeHeader(model.header);
    this.inputCommitment = commitTensor(input);
    this.seed = seed;
    this.#descriptors = model.operators.map(({ descriptor }) => decodeDescriptor(descriptor));
    this.#code = model.operators.map(({ code }) => encodeCode(code));
    for (const words of [input, ...model.model.constants]) this.#byCommitment.set(hex(commitTensor(words)), words);
    this.#commitments = new Uint8Array(slotCount(model.model.program) * WORD_BYTES);
  }

  descriptor(operator: number): OperatorDescriptor {
    return this.#descriptors[operator]!;
  }
  codeWord(operator: number, index: number): Uint8Array {
    return this.#code[operator]!.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES);
  }
  slotCommitment(slot: number): Uint8Array {
    return this.#commitments.slice(slot * WORD_BYTES, (slot + 1) * WORD_BYTES);
  }
  wordCount(tensor: TensorReference): bigint {
    return BigInt(this.#words(tensor).length / WORD_BYTES);
  }
  tensorWord(tensor: TensorReference, index: number): Uint8Array {
    return this.#words(tensor).subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES);
  }
  storeWord(slot: number, word: number, _wordCount: number, value: Uint8Array): Uint8Array {
    const words = this.#current.get(slot) ?? new Uint8Array(byteLength(placeOf(this.#model.model.program, slot).operator.output));
    words.set(value, word * WORD_BYTES);
    this.#current.set(slot, words);
    this.#commitments.set(commitTensor(words), slot * WORD_BYTES);
    return treeRoot(this.#commitments);
  }

  #words(tensor: TensorReference): Uint8Array {
    const words = tensor.kind === 'slot' ? this.#current.get(tensor.slot) : this.#byCommitment.get(hex(tensor.commitment));
    if (words === undefined || hex(tensor.commitment) === hex(NOT_WRITTEN)) throw new Error('the machine asked for a tensor that is not there');
    return words;
  }
}
