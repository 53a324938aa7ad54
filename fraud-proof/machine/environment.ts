import type { OperatorDescriptor } from './descriptor.ts';
import type { ProgramHeader } from './header.ts';

/** A tensor that an operand names, with the commitment that it was found under. */
export type TensorReference =
  | { readonly kind: 'constant'; readonly commitment: Uint8Array }
  | { readonly kind: 'input'; readonly commitment: Uint8Array }
  | { readonly kind: 'slot'; readonly slot: number; readonly commitment: Uint8Array };

/**
 * All that a step may ask for beyond the state itself. The interpreter asks in the order in which a proof lists its
 * words and only for what exists, so that one interpreter runs on tensors in memory, records a proof, and checks one.
 */
export interface StepEnvironment {
  readonly header: ProgramHeader;
  readonly inputCommitment: Uint8Array;
  readonly seed: Uint8Array;
  /** The descriptor of an operator, numbered prologue, body, epilogue. */
  descriptor(operator: number): OperatorDescriptor;
  /** Word `index` of the operator's code. */
  codeWord(operator: number, index: number): Uint8Array;
  /** The commitment that `A` holds for a slot. */
  slotCommitment(slot: number): Uint8Array;
  /** Words of a tensor whose commitment is not zero. */
  wordCount(tensor: TensorReference): bigint;
  /** Word `index`, less than `wordCount` and 2^28, of the tensor asked about last. */
  tensorWord(tensor: TensorReference, index: number): Uint8Array;
  /**
   * `A` once `value` is word `word` of the current slot's tensor of `wordCount` words. An environment that follows a run
   * may update itself here: this is always a step's last question.
   */
  storeWord(slot: number, word: number, wordCount: number, value: Uint8Array): Uint8Array;
}
