import { byteLength, WORD_BYTES } from '../program/tensor.ts';
import { SECTIONS } from '../program/program.ts';
import type { Operand, Program, Section } from '../program/program.ts';

export const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;

/** Where a program's tensors lie in a WebAssembly memory. A zero word stands at address 0. */
export interface MemoryLayout {
  readonly pages: number;
  readonly seed: number;
  readonly input: number;
  constant(index: number): number;
  /** First of the operators' tensors. All tensors from here on are zero before a run. */
  readonly tensors: number;
  /** One past the last tensor. */
  readonly end: number;
  /** An operator's tensor. Those of a body operator's iterations follow one another where it is carried, and else take each other's place. */
  tensor(section: Section, index: number, iteration: number): number;
  /** Bytes from one iteration's tensor of a body operator to the next; 0 where all of them use the same memory. */
  stride(index: number): number;
}

/**
 * Places the tensors of a run one after another: those of all iterations only where they are carried (`carriedOperators`) from one to another.
 * @throws RangeError when they do not fit 4 GiB
 */
export function layOutMemory(program: Program, carried: ReadonlySet<number>): MemoryLayout {
  let end = WORD_BYTES;
  const place = (bytes: number): number => {
    const address = end;
    end += bytes;
    return address;
  };
  const seed = place(WORD_BYTES);
  const input = place(byteLength(program.input));
  const constants = program.constants.map((shape) => place(byteLength(shape)));
  const tensors = end;
  const starts = Object.fromEntries(SECTIONS.map((section) => [
    section,
    program[section].map(({ output }, index) => place(byteLength(output) * (section === 'body' && carried.has(index) ? program.maxIterations : 1))),
  ])) as Record<Section, number[]>;
  const pages = Math.ceil(end / PAGE_BYTES);
  if (pages > MAX_PAGES) throw new RangeError(`the model needs ${pages * PAGE_BYTES} bytes of memory; this executor has 4 GiB: take another`);
  const stride = (index: number): number => (carried.has(index) ? byteLength(program.body[index]!.output) : 0);
  return {
    pages, seed, input, tensors, end, stride,
    constant: (index) => constants[index]!,
    tensor: (section, index, iteration) => starts[section][index]! + (section === 'body' ? iteration * stride(index) : 0),
  };
}

/** What a load of an operand sees: a tensor at a fixed address, or one an iteration, of which the first `limit` are written. */
export interface OperandMemory {
  readonly address: number;
  readonly words: number;
  readonly iterated: null | {
    readonly stride: number;
    /** Readable iterations: a number, or relative to the reader's own. */
    readonly limit: number | 'before' | 'upTo';
  };
}

/** Where operator `index` of a section finds an operand; null when every load of it is zero. */
export function operandMemory(program: Program, layout: Pick<MemoryLayout, 'seed' | 'input' | 'constant' | 'tensor' | 'stride'>, section: Section, index: number, operand: Operand): OperandMemory | null {
  const single = (address: number, bytes: number): OperandMemory => ({ address, words: bytes / WORD_BYTES, iterated: null });
  switch (operand.kind) {
    case 'seed':
      return single(layout.seed, WORD_BYTES);
    case 'input':
      return single(layout.input, byteLength(program.input));
    case 'constant':
      return single(layout.constant(operand.constant), byteLength(program.constants[operand.constant]!));
    default: {
      const output = program[operand.kind][operand.operator]?.output;
      const order = SECTIONS.indexOf(operand.kind) - SECTIONS.indexOf(section);
      if (output === undefined || order > 0) return null;
      const bytes = byteLength(output);
      const address = layout.tensor(operand.kind, operand.operator, 0);
      if (operand.kind !== 'body') return order < 0 || operand.operator < index ? single(address, bytes) : null;
      const limit = order < 0 ? program.maxIterations : operand.operator < index ? 'upTo' : 'before';
      return { address, words: bytes / WORD_BYTES, iterated: { stride: layout.stride(operand.operator), limit } };
    }
  }
}
