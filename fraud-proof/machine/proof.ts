import { rootFromPath } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import { numberWord, tensorCommitment } from '../../deterministic-runtime/commitment/tree.ts';
import { decodeDescriptor } from './descriptor.ts';
import type { StepEnvironment, TensorReference } from './environment.ts';
import { decodeHeader } from './header.ts';
import { step } from './interpreter.ts';
import { encodeState, Status } from './state.ts';
import type { MachineState } from './state.ts';

const WORD = 32;

/** Siblings from the leaf upwards. */
export type Path = readonly Uint8Array[];

/** A tensor that a proof opens. */
export interface ProvableTensor {
  readonly root: Uint8Array;
  readonly wordCount: number;
  word(index: number): Uint8Array;
  path(index: number): Path;
}

/** What a proof is made from: the model, and the tensors and trees as they stand in the state whose step is proven. */
export interface ProvingEnvironment {
  /** The program header's eight words. */
  readonly header: Uint8Array;
  readonly inputCommitment: Uint8Array;
  readonly seed: Uint8Array;
  /** An operator's descriptor, and its path in the operators' tree. Operators are numbered prologue, body, epilogue. */
  descriptor(operator: number): Uint8Array;
  descriptorPath(operator: number): Path;
  /** A word of an operator's code, and its path in the code tree. */
  codeWord(operator: number, index: number): Uint8Array;
  codePath(operator: number, index: number): Path;
  /** What `A` holds for a slot, and its path in `A`. */
  slotCommitment(slot: number): Uint8Array;
  slotPath(slot: number): Path;
  /** A constant, the input, or the tensor in a slot before the current one; asked for only if its commitment is not zero. */
  tensor(reference: TensorReference): ProvableTensor;
  /** The current slot's tensor of `wordCount` words before word `word` is stored: its root, and the path of that word. */
  partialTensor(slot: number, word: number, wordCount: number): { readonly root: Uint8Array; readonly path: Path };
}

export interface StepProof {
  /** The proof's words, concatenated: what `verifyStep` and the contract's `step` take. */
  readonly proof: Uint8Array;
  readonly postState: MachineState;
}

/** The proof of the step that follows `state`, in the order of docs/word-machine.md, "Proof of one step". */
export function proveStep(state: MachineState, environment: ProvingEnvironment): StepProof {
  const words: Uint8Array[] = [environment.header, environment.inputCommitment, environment.seed, encodeState(state).subarray(WORD)];
  const postState = step(state, record(environment, words));
  return { proof: concatenate(words), postState };
}

/** The plain environment of a provable one; storing computes the new root and changes nothing. */
export const readOnly = (environment: ProvingEnvironment): StepEnvironment => record(environment, []);

/** An environment that appends to `words` what a verifier needs for each answer. */
function record(environment: ProvingEnvironment, words: Uint8Array[]): StepEnvironment {
  return {
    header: decodeHeader(environment.header),
    inputCommitment: environment.inputCommitment,
    seed: environment.seed,
    descriptor(operator) {
      const descriptor = environment.descriptor(operator);
      words.push(descriptor, ...environment.descriptorPath(operator));
      return decodeDescriptor(descriptor);
    },
    codeWord(operator, index) {
      const word = environment.codeWord(operator, index);
      words.push(word, ...environment.codePath(operator, index));
      return word;
    },
    slotCommitment(slot) {
      const commitment = environment.slotCommitment(slot);
      words.push(commitment, ...environment.slotPath(slot));
      return commitment;
    },
    wordCount(reference) {
      const { root, wordCount } = environment.tensor(reference);
      words.push(root, numberWord(wordCount));
      return BigInt(wordCount);
    },
    tensorWord(reference, index) {
      const tensor = environment.tensor(reference);
      const word = tensor.word(index);
      words.push(word, ...tensor.path(index));
      return word;
    },
    storeWord(slot, word, wordCount, value) {
      const slotPath = environment.slotPath(slot);
      const partial = environment.partialTensor(slot, word, wordCount);
      words.push(...slotPath, ...(word > 0 ? [partial.root] : []), ...partial.path);
      return rootFromPath(tensorCommitment(rootFromPath(value, word, partial.path), wordCount), slot, slotPath);
    },
  };
}

/** The words that open a finished state's result for the contract's `finalState`: status, header, `A`, commitment, path. */
export function finishedOpening(header: Uint8Array, slotsRoot: Uint8Array, outputCommitment: Uint8Array, path: Path): Uint8Array {
  return concatenate([numberWord(Status.FINISHED), header, slotsRoot, outputCommitment, ...path]);
}

/** The words that open a state without a result, running or failed, for the contract's `finalState`: status, then words 1 to 10 of it. */
export function unfinishedOpening(state: MachineState): Uint8Array {
  return concatenate([numberWord(state.status), encodeState(state).subarray(WORD)]);
}

function concatenate(words: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(words.reduce((length, word) => length + word.length, 0));
  let offset = 0;
  for (const word of words) {
    bytes.set(word, offset);
    offset += word.length;
  }
  return bytes;
}
