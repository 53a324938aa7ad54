import { bindOperator, specializeOperator } from '../language/specialize.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import { SECTIONS } from '../program/program.ts';
import type { Model, Program, Section } from '../program/program.ts';
import { byteLength, paddingIsZero } from '../program/tensor.ts';
import { ModuleBuilder } from './assembler.ts';
import type { FunctionReference } from './assembler.ts';
import { addKernel } from './compile.ts';
import { layOutMemory, operandAddress, operandStride } from './memory-layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import { addSteps, isWorthDividing } from './steps.ts';
import type { Step } from './steps.ts';
import { addThreadFunctions } from './threads.ts';
import { workOf } from './work.ts';

/** Most pages of 64 KiB that a memory can have. */
const MAX_PAGES = 65536;

/** A program's module and where its tensors go: all that does not depend on the weights. */
export interface CompiledProgram {
  readonly module: WebAssembly.Module;
  readonly layout: MemoryLayout;
  /** Threads that the module's calls are made for. */
  readonly threads: number;
  /** What a run of each section does, in order. */
  readonly steps: Readonly<Record<Section, readonly Step[]>>;
  /** For each operator, the name of the module's function that computes it; see `CompiledKernel`. */
  readonly functions: Readonly<Record<Section, readonly string[]>>;
  /** For each operator of the body, the function that computes neighbouring iterations together; none where `layout.chunk` is null. */
  readonly chunkFunctions: readonly string[];
  /** True where there is enough to divide between threads. */
  readonly isLarge: boolean;
  /** All names in `steps`, `functions` and `chunkFunctions`. */
  readonly names: readonly string[];
}

/** A model runs on several threads when what they can share is so many times what they share at least: two milliseconds, if nobody says otherwise. */
const LEAST_DIVISIONS = 128;

/** For how many threads code is made. */
export interface Threading {
  readonly threads: number;
  /** Work (see `workOf`) from which on they share an operator. */
  readonly leastWork: number;
  /** After how many seconds a thread that does not answer counts as dead. */
  readonly secondsToDeath: number;
}

const everySection = <T>(of: (section: Section) => T): Record<Section, T> => ({ prologue: of('prologue'), body: of('body'), epilogue: of('epilogue') });

const compiledPrograms = new Map<string, WeakMap<Program, Promise<CompiledProgram>>>();

/**
 * Compiles all operators of a program to one module; operators with the same kernel, parameters, shapes and kinds of operands share a
 * function. A program is compiled once for so many threads, however often it is asked for.
 * @throws RangeError when an operator does not fit its kernel, or the program does not fit the memory.
 */
export function compileProgramModule(program: Program, threading: Threading): Promise<CompiledProgram> {
  const key = JSON.stringify(threading);
  const programs = compiledPrograms.get(key) ?? new WeakMap<Program, Promise<CompiledProgram>>();
  compiledPrograms.set(key, programs);
  const known = programs.get(program);
  if (known !== undefined) return known;
  const compiled = compileModule(program, threading);
  programs.set(program, compiled);
  compiled.catch(() => programs.delete(program));
  return compiled;
}

async function compileModule(program: Program, { threads, leastWork, secondsToDeath }: Threading): Promise<CompiledProgram> {
  const specialized = new Map<string, SpecializedKernel>();
  const keys = everySection((section) => program[section].map(({ kernel }, index) => JSON.stringify([kernel, bindOperator(program, section, index)])));
  const kernels = everySection((section) => program[section].map((_, index) => {
    const key = keys[section][index]!;
    const kernel = specialized.get(key) ?? specializeOperator(program, section, index);
    specialized.set(key, kernel);
    return kernel;
  }));
  const layout = layOutMemory(program, kernels);
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', threads > 1 ? { minimum: 1, maximum: MAX_PAGES, shared: true } : { minimum: 1 });
  const functions = new Map<string, { readonly name: string; readonly reference: FunctionReference }>();
  const functionOf = (section: Section, index: number, strides: readonly number[], numbering: 'tensor' | 'iterations'): { readonly name: string; readonly reference: FunctionReference } => {
    const { operands } = program[section][index]!;
    const distinct = new Set(operands.map((operand) => JSON.stringify(operand))).size === operands.length;
    const key = `${keys[section][index]!} ${strides.join()} ${numbering} ${distinct}`;
    const found = functions.get(key);
    if (found !== undefined) return found;
    const name = `kernel${functions.size}`;
    const made = { name, reference: addKernel(module, { name, kernel: kernels[section][index]!, strides, numbering, distinct }) };
    functions.set(key, made);
    return made;
  };
  const ofOperators = everySection((section) => program[section].map(({ operands }, index) =>
    functionOf(section, index, operands.map((operand) => operandStride(program, layout, operand)), 'tensor')));
  const { chunk } = layout;
  const ofChunks = chunk === null ? [] : program.body.map(({ operands }, index) => functionOf('body', index, operands.map((operand) =>
    (operand.kind === 'body' ? chunk.outputs[operand.operator]!.stride : operandStride(program, layout, operand))), 'iterations'));
  const meeting = threads > 1 ? addThreadFunctions(module, layout.control, threads, secondsToDeath) : null;
  const work = new Map<SpecializedKernel, number>();
  const steps = everySection((section) => addSteps(module, section, program[section].map((operator, index) => {
    const kernel = kernels[section][index]!;
    const known = work.get(kernel) ?? workOf(kernel);
    work.set(kernel, known);
    return {
      operator, kernel, work: known, function: ofOperators[section][index]!.reference, output: layout.outputs[section][index]!,
      addresses: operator.operands.map((operand) => operandAddress(layout, operand)),
    };
  }), meeting === null ? null : { threads, leastWork, meeting }));
  const divisible = SECTIONS.flatMap((section) => kernels[section])
    .reduce((total, kernel) => total + (isWorthDividing({ kernel, work: work.get(kernel)! }, leastWork) ? work.get(kernel)! : 0), 0);
  return {
    module: await WebAssembly.compile(module.encode()),
    layout,
    threads,
    steps,
    functions: everySection((section) => ofOperators[section].map(({ name }) => name)),
    isLarge: divisible > 0 && divisible >= LEAST_DIVISIONS * leastWork,
    chunkFunctions: ofChunks.map(({ name }) => name),
    names: [
      ...[...functions.values()].map(({ name }) => name),
      ...SECTIONS.flatMap((section) => steps[section].flatMap((step) => (step.kind === 'call' ? [step.name] : []))),
    ],
  };
}

/** A model's memory, with its constants in place, each read once. @throws RangeError on constants that don't fit the program, or too little memory */
export function allocateMemory({ program, constants }: Model, { layout, threads }: CompiledProgram): WebAssembly.Memory {
  if (constants.length !== program.constants.length) throw new RangeError(`model '${program.name}' has ${constants.length} constants; its program names ${program.constants.length}`);
  const memory = allocate(program, layout.pages, threads);
  const bytes = new Uint8Array(memory.buffer);
  program.constants.forEach((shape, index) => {
    const words = constants[index]!;
    if (words.length !== byteLength(shape)) throw new RangeError(`constant ${index} of model '${program.name}' has ${words.length} bytes, not ${byteLength(shape)} (padded words)`);
    if (!paddingIsZero(shape, words)) throw new RangeError(`constant ${index} of model '${program.name}' has bytes other than zero in its padding`);
    bytes.set(words, layout.constants[index]!);
  });
  return memory;
}

function allocate(program: Program, pages: number, threads: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory(threads > 1 ? { initial: pages, maximum: MAX_PAGES, shared: true } : { initial: pages });
  } catch (cause) {
    throw new RangeError(`model '${program.name}' needs ${Math.ceil(pages / 16)} MiB of memory, which this machine did not give: close other programs, or run it elsewhere`, { cause });
  }
}
