import type { SpecializedKernel } from '../language/specialized.ts';
import { operandShape } from '../program/program.ts';
import type { Operand, Program, Section } from '../program/program.ts';
import { WORD_BYTES, byteLength } from '../program/tensor.ts';
import { GUARD_BYTES, ZERO_AREA, longestRowBytes } from './lower.ts';

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
/** Tensors start at cache lines. */
const ALIGNMENT = 64;

/** Bytes of the area that threads agree through. */
export const CONTROL_BYTES = 1024;
/** Iterations of a chunk at most, and bytes of its buffers. */
const CHUNK_ITERATIONS = 64;
const CHUNK_BYTES = 2 ** 27;

/** Where an operator writes. */
export interface OutputBuffer {
  /** Of iteration 0's tensor, for body operators. */
  readonly address: number;
  /** Bytes from one iteration's tensor to the next: 0 where all of them use the same memory. */
  readonly stride: number;
  /** Bytes of one tensor. */
  readonly bytes: number;
}

/** Where a program's tensors lie in a WebAssembly memory; see `compileKernels` for the zero area in front. */
export interface MemoryLayout {
  readonly pages: number;
  /** `CONTROL_BYTES` that threads agree through; zeros at first. */
  readonly control: number;
  readonly seed: number;
  readonly input: number;
  readonly constants: readonly number[];
  readonly outputs: Readonly<Record<Section, readonly OutputBuffer[]>>;
  /** For iterations that run side by side. Null where the body runs once at most, or its tensors are too large for that. */
  readonly chunk: ChunkLayout | null;
}

/** Where the body's tensors lie while a chunk of iterations runs operator by operator: behind everything else. */
export interface ChunkLayout {
  /** Iterations in a chunk at most. */
  readonly iterations: number;
  /** Pages of a memory that has room for it. */
  readonly pages: number;
  /** For each operator of the body: the tensors of all iterations where they are kept anyway; else those of the chunk alone. */
  readonly outputs: readonly ChunkBuffer[];
}

export interface ChunkBuffer extends OutputBuffer {
  /** True for buffers that start with the chunk's first iteration rather than with iteration 0. */
  readonly ofChunk: boolean;
  /** Where one tensor can be computed again. */
  readonly again: number;
}

/** Specialised kernels of all operators. */
export type ProgramKernels = Readonly<Record<Section, readonly SpecializedKernel[]>>;

/**
 * Places all tensors one after another: constants, input, seed, one buffer an operator, and one an iteration for body
 * operators that are read in another iteration than they are written in.
 * @throws RangeError when they do not fit the 4 GiB of a WebAssembly memory.
 */
export function layOutMemory(program: Program, kernels: ProgramKernels): MemoryLayout {
  const all = [...kernels.prologue, ...kernels.body, ...kernels.epilogue];
  let end = ZERO_AREA + Math.max(0, ...all.map(longestRowBytes));
  const place = (bytes: number): number => {
    const address = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = address + bytes;
    return address;
  };
  const constants = program.constants.map((shape) => place(byteLength(shape)));
  const control = place(CONTROL_BYTES);
  const input = place(byteLength(program.input));
  const seed = place(WORD_BYTES);
  const kept = readInOtherIterations(program, kernels);
  const outputsOf = (section: Section): OutputBuffer[] =>
    program[section].map(({ output }, index) => {
      const bytes = byteLength(output);
      const iterated = section === 'body' && kept.has(index);
      return { address: place(iterated ? bytes * program.maxIterations : bytes), stride: iterated ? bytes : 0, bytes };
    });
  const outputs = { prologue: outputsOf('prologue'), body: outputsOf('body'), epilogue: outputsOf('epilogue') };
  const pages = Math.ceil((end + GUARD_BYTES) / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    const size = ((pages * PAGE_BYTES) / 2 ** 30).toFixed(1);
    throw new RangeError(`model '${program.name}' needs ${size} GiB of memory, and WebAssembly has 4: run it with the webgpu executor`);
  }
  return { pages, control, seed, input, constants, outputs, chunk: layOutChunk(program, outputs.body, pages) };
}

function layOutChunk(program: Program, outputs: readonly OutputBuffer[], pages: number): ChunkLayout | null {
  const own = outputs.reduce((total, { stride, bytes }) => total + (stride === 0 ? bytes : 0) + bytes, 0);
  const iterations = Math.min(CHUNK_ITERATIONS, program.maxIterations, Math.floor(CHUNK_BYTES / Math.max(1, own)));
  if (iterations < 2) return null;
  let end = pages * PAGE_BYTES;
  const place = (bytes: number): number => {
    const address = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = address + bytes;
    return address;
  };
  const buffers = outputs.map((output): ChunkBuffer => {
    const again = place(output.bytes);
    if (output.stride > 0) return { ...output, ofChunk: false, again };
    return { address: place(output.bytes * iterations), stride: output.bytes, bytes: output.bytes, ofChunk: true, again };
  });
  const all = Math.ceil((end + GUARD_BYTES) / PAGE_BYTES);
  return all > MAX_PAGES ? null : { iterations, pages: all, outputs: buffers };
}

/** The body's operators that something reads in another iteration than its own. */
function readInOtherIterations(program: Program, kernels: ProgramKernels): ReadonlySet<number> {
  const kept = new Set<number>();
  for (const section of ['body', 'epilogue'] as const) {
    program[section].forEach((operator, index) => {
      const others = operandsReadElsewhere(kernels[section][index]!);
      operator.operands.forEach((operand, position) => {
        if (operand.kind === 'body' && (section === 'epilogue' || others.has(position))) kept.add(operand.operator);
      });
    });
  }
  return kept;
}

/** Operands that a kernel reads in an iteration that is not simply its own. */
function operandsReadElsewhere(kernel: SpecializedKernel): ReadonlySet<number> {
  const found = new Set<number>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if ('operand' in value && 'iteration' in value) {
      const iteration = value.iteration as { readonly kind: string; readonly of?: string } | null;
      if (iteration !== null && !(iteration.kind === 'coordinate' && iteration.of === 'iteration')) found.add(value.operand as number);
    }
    Object.values(value).forEach(visit);
  };
  visit(kernel.element);
  return found;
}

/** The address that a compiled kernel takes for an operand. */
export function operandAddress(layout: MemoryLayout, operand: Operand): number {
  switch (operand.kind) {
    case 'constant': return layout.constants[operand.constant]!;
    case 'input': return layout.input;
    case 'seed': return layout.seed;
    default: return layout.outputs[operand.kind][operand.operator]!.address;
  }
}

/** The bytes between two iterations' tensors of an operand. */
export function operandStride(program: Program, layout: MemoryLayout, operand: Operand): number {
  return operand.kind === 'body' ? layout.outputs.body[operand.operator]!.stride : byteLength(operandShape(program, operand));
}
