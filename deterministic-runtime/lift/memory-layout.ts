import { byteLength, WORD_BYTES } from '../program/tensor.ts';
import { SECTIONS } from '../program/program.ts';
import type { Operand, Program, Section } from '../program/program.ts';

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;

/** Where a program's tensors lie in a WebAssembly memory. A zero word stands at address 0. */
export interface MemoryLayout {
  readonly pages: number;
  readonly seed: number;
  readonly input: number;
  readonly constants: readonly number[];
  /** First of the operators' tensors. All tensors from here on are zero before a run. */
  readonly tensors: number;
  /** One past the last tensor. */
  readonly end: number;
  /** An operator's tensor. Those of a body operator's iterations follow one another. */
  tensor(section: Section, index: number, iteration: number): number;
}

/** Places all tensors of a run one after another. @throws RangeError when they do not fit 4 GiB */
export function layOutMemory(program: Program): MemoryLayout {
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
    program[section].map(({ output }) => place(byteLength(output) * (section === 'body' ? program.maxIterations : 1))),
  ])) as Record<Section, number[]>;
  const pages = Math.ceil(end / PAGE_BYTES);
  if (pages > MAX_PAGES) throw new RangeError(`the model needs ${pages * PAGE_BYTES} bytes of memory; this executor has 4 GiB: take another`);
  return {
    pages, seed, input, constants, tensors, end,
    tensor: (section, index, iteration) =>
      starts[section][index]! + (section === 'body' ? iteration * byteLength(program.body[index]!.output) : 0),
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
export function operandMemory(program: Program, layout: MemoryLayout, section: Section, index: number, operand: Operand): OperandMemory | null {
  const single = (address: number, bytes: number): OperandMemory => ({ address, words: bytes / WORD_BYTES, iterated: null });
  switch (operand.kind) {
    case 'seed':
      return single(layout.seed, WORD_BYTES);
    case 'input':
      return single(layout.input, byteLength(program.input));
    case 'constant':
      return single(layout.constants[operand.constant]!, byteLength(program.constants[operand.constant]!));
    default: {
      const output = program[operand.kind][operand.operator]?.output;
      const order = SECTIONS.indexOf(operand.kind) - SECTIONS.indexOf(section);
      if (output === undefined || order > 0) return null;
      const bytes = byteLength(output);
      const address = layout.tensor(operand.kind, operand.operator, 0);
      if (operand.kind !== 'body') return order < 0 || operand.operator < index ? single(address, bytes) : null;
      const limit = order < 0 ? program.maxIterations : operand.operator < index ? 'upTo' : 'before';
      return { address, words: bytes / WORD_BYTES, iterated: { stride: bytes, limit } };
    }
  }
}
