/** Word code before registers are allocated: structured loops over an unlimited number of registers. */

/** What an instruction reads: a register still to be allocated, a source of the machine's, or an immediate. */
export type VirtualSource =
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'source'; readonly number: number }
  | { readonly kind: 'immediate'; readonly value: number };

export interface VirtualInstruction {
  readonly kind: 'instruction';
  readonly op: number;
  /** The register written, or a vector register of the machine's that was set aside, or nothing. */
  readonly d: { readonly kind: 'register'; readonly register: number } | { readonly kind: 'fixed'; readonly number: number } | null;
  /** True when `d` is read as well. */
  readonly updates: boolean;
  readonly a: VirtualSource;
  readonly b: VirtualSource;
  /** The third source of MAD, SELECT and REQUANTIZE. */
  readonly c: VirtualSource | null;
  /** The operand of a load. */
  readonly operand: number | null;
}

export interface VirtualLoop {
  readonly kind: 'loop';
  readonly counter: number;
  readonly bound: 'lanes' | { readonly base: number; readonly perIteration: number };
  readonly body: readonly VirtualBlock[];
}

export type VirtualBlock = VirtualInstruction | VirtualLoop;

export interface VirtualCode {
  readonly blocks: readonly VirtualBlock[];
  /** By register number. */
  readonly registers: readonly ('scalar' | 'vector')[];
}

/** Instructions that the blocks come to; each loop has a LOOP. */
export const instructionCount = (blocks: readonly VirtualBlock[]): number =>
  blocks.reduce((count, block) => count + 1 + (block.kind === 'loop' ? instructionCount(block.body) : 0), 0);
