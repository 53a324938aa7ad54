import { keccak256, keccakOf } from '../../deterministic-runtime/commitment/keccak.ts';
import { NOT_WRITTEN, TENSOR_TAG, tensorCommitment } from '../../deterministic-runtime/commitment/tree.ts';
import { rootFromPath, treeDepth } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import { codeWords, decodeDescriptor, descriptorLength } from './descriptor.ts';
import type { OperatorDescriptor } from './descriptor.ts';
import type { StepEnvironment, TensorReference } from './environment.ts';
import { decodeHeader, HEADER_WORDS, operatorCount, slotCount } from './header.ts';
import type { ProgramHeader } from './header.ts';
import { step } from './interpreter.ts';
import { decodeState, hashEncodedState, hashState, machineContext, MalformedStateError, STATE_WORDS } from './state.ts';
import type { MachineState } from './state.ts';

const WORD = 32;
const ZERO_WORD: Uint8Array = new Uint8Array(WORD);

/** Why a proof is refused: the names of the contract's errors. */
export type ProofRefusal =
  | 'ProofTruncated' | 'ProofTooLong' | 'WrongPreState' | 'MalformedState'
  | 'WrongDescriptor' | 'WrongCode' | 'WrongSlot' | 'WrongTensor' | 'WrongWord';

/** Thrown when a proof proves nothing. */
export class InvalidProofError extends Error {
  readonly refusal: ProofRefusal;
  constructor(refusal: ProofRefusal, explanation: string) {
    super(`the step's proof is refused (${refusal}): ${explanation}`);
    this.name = 'InvalidProofError';
    this.refusal = refusal;
  }
}

/** What a proof shows. */
export interface ProvenStep {
  /** The state before the step, and the one after it. */
  readonly before: MachineState;
  readonly after: MachineState;
  readonly header: ProgramHeader;
  /** The operator's descriptor and the word of its code with the instruction; null where the machine needed none. */
  readonly operator: { readonly descriptor: OperatorDescriptor; readonly codeWord: Uint8Array } | null;
}

/**
 * What the contract's `step` computes: the hash of the state that follows the one with hash `preState`.
 * @throws InvalidProofError when the words are not exactly a proof of that state's step
 */
export const verifyStep = (preState: Uint8Array, proof: Uint8Array): Uint8Array => hashState(provenStep(preState, proof).after);

/**
 * The step itself, as its proof shows it.
 * @throws InvalidProofError when the words are not exactly a proof of that state's step
 */
export function provenStep(preState: Uint8Array, proof: Uint8Array): ProvenStep {
  const words = new WordReader(proof);
  const headerWords = words.take(HEADER_WORDS);
  const inputCommitment = words.take(1);
  const seed = words.take(1);
  const before = readState(words, machineContext(keccak256(headerWords), inputCommitment, seed), preState);
  const header = decodeHeader(headerWords);
  const environment = new ProofEnvironment(words, before, { header, inputCommitment, seed });
  const after = step(before, environment);
  words.end();
  return { before, after, header, operator: environment.shown };
}

function readState(words: WordReader, context: Uint8Array, preState: Uint8Array): MachineState {
  const encoding = new Uint8Array(STATE_WORDS * WORD);
  encoding.set(context);
  encoding.set(words.take(STATE_WORDS - 1), WORD);
  ensure(equal(hashEncodedState(encoding), preState), 'WrongPreState', 'header, input, seed and state words do not hash to the state before the step');
  try {
    return decodeState(encoding);
  } catch (error) {
    if (error instanceof MalformedStateError) throw new InvalidProofError('MalformedState', error.message);
    throw error;
  }
}

/** Takes a proof's words one after another. */
class WordReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(words: number): Uint8Array {
    const end = this.#offset + words * WORD;
    ensure(end <= this.#bytes.length, 'ProofTruncated', `it ends after ${this.#bytes.length} bytes`);
    const taken = this.#bytes.slice(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  /** Words still to come, as a look ahead of `words` words. */
  peek(words: number): Uint8Array {
    const taken = this.take(words);
    this.#offset -= words * WORD;
    return taken;
  }

  path(depth: number): Uint8Array[] {
    return Array.from({ length: depth }, () => this.take(1));
  }

  end(): void {
    ensure(this.#offset === this.#bytes.length, 'ProofTooLong', `${this.#bytes.length - this.#offset} bytes are left over`);
  }
}

/** Answers the interpreter's questions out of a proof, each checked against the commitment that it belongs to. */
class ProofEnvironment implements StepEnvironment {
  readonly header: ProgramHeader;
  readonly inputCommitment: Uint8Array;
  readonly seed: Uint8Array;
  readonly #words: WordReader;
  readonly #state: MachineState;
  readonly #slotsDepth: number;
  #code: OperatorDescriptor | null = null;
  #codeWord: Uint8Array | null = null;
  #opened: { readonly root: Uint8Array; readonly wordCount: bigint } | null = null;

  constructor(words: WordReader, state: MachineState, request: { header: ProgramHeader; inputCommitment: Uint8Array; seed: Uint8Array }) {
    this.#words = words;
    this.#state = state;
    this.header = request.header;
    this.inputCommitment = request.inputCommitment;
    this.seed = request.seed;
    this.#slotsDepth = treeDepth(slotCount(request.header));
  }

  get shown(): ProvenStep['operator'] {
    return this.#code === null || this.#codeWord === null ? null : { descriptor: this.#code, codeWord: this.#codeWord };
  }

  descriptor(operator: number): OperatorDescriptor {
    const words = this.#words.take(descriptorLength(this.#words.peek(2)));
    const path = this.#words.path(treeDepth(operatorCount(this.header)));
    ensure(equal(rootFromPath(keccak256(words), operator, path), this.header.operatorsRoot), 'WrongDescriptor', `it is not that of operator ${operator}`);
    this.#code = decodeDescriptor(words);
    return this.#code;
  }

  codeWord(operator: number, index: number): Uint8Array {
    const code = this.#code as OperatorDescriptor;
    const word = this.#words.take(1);
    const path = this.#words.path(treeDepth(codeWords(code)));
    ensure(equal(rootFromPath(word, index, path), code.codeRoot), 'WrongCode', `it is not word ${index} of operator ${operator}'s code`);
    this.#codeWord = word;
    return word;
  }

  slotCommitment(slot: number): Uint8Array {
    const commitment = this.#words.take(1);
    const path = this.#words.path(this.#slotsDepth);
    ensure(equal(rootFromPath(commitment, slot, path), this.#state.slotsRoot), 'WrongSlot', `it is not what slot ${slot} holds`);
    return commitment;
  }

  wordCount({ commitment }: TensorReference): bigint {
    const root = this.#words.take(1);
    const count = this.#words.take(1);
    ensure(equal(keccakOf(TENSOR_TAG, root, count), commitment), 'WrongTensor', 'root and word count are not those of the commitment');
    const wordCount = count.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
    this.#opened = { root, wordCount };
    return wordCount;
  }

  tensorWord(_: TensorReference, index: number): Uint8Array {
    const { root, wordCount } = this.#opened as { root: Uint8Array; wordCount: bigint };
    const word = this.#words.take(1);
    const path = this.#words.path(treeDepth(Number(wordCount)));
    ensure(equal(rootFromPath(word, index, path), root), 'WrongWord', `it is not the tensor's word ${index}`);
    return word;
  }

  storeWord(slot: number, word: number, wordCount: number, value: Uint8Array): Uint8Array {
    const slotPath = this.#words.path(this.#slotsDepth);
    const oldRoot = word > 0 ? this.#words.take(1) : ZERO_WORD;
    const path = this.#words.path(treeDepth(wordCount));
    const oldCommitment = word > 0 ? tensorCommitment(oldRoot, wordCount) : NOT_WRITTEN;
    ensure(equal(rootFromPath(oldCommitment, slot, slotPath), this.#state.slotsRoot), 'WrongSlot', `it is not what slot ${slot} holds before word ${word}`);
    ensure(equal(rootFromPath(ZERO_WORD, word, path), oldRoot), 'WrongWord', `word ${word} is not one that was not stored yet`);
    return rootFromPath(tensorCommitment(rootFromPath(value, word, path), wordCount), slot, slotPath);
  }
}

function ensure(holds: boolean, refusal: ProofRefusal, explanation: string): asserts holds {
  if (!holds) throw new InvalidProofError(refusal, explanation);
}

const equal = (left: Uint8Array, right: Uint8Array): boolean => left.length === right.length && left.every((byte, index) => byte === right[index]);
