import { bindOperator, specializeOperator } from '../language/specialize.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import type { Model, Operator, Program, Section } from '../program/program.ts';
import { byteLength, paddingIsZero } from '../program/tensor.ts';
import { compileKernels } from './compile.ts';
import type { CompiledKernel, KernelFunction } from './compile.ts';
import { layOutMemory, operandAddress, operandStride } from './memory-layout.ts';
import type { MemoryLayout, OutputBuffer } from './memory-layout.ts';

/** A program's module and where its tensors go: all that does not depend on the weights. */
export interface CompiledProgram {
  readonly module: WebAssembly.Module;
  readonly layout: MemoryLayout;
  /** For each operator, the name of the module's function that computes it. */
  readonly functions: Readonly<Record<Section, readonly string[]>>;
}

/** One operator, ready to be called. */
export interface PreparedOperator {
  readonly section: Section;
  readonly index: number;
  readonly operator: Operator;
  readonly output: OutputBuffer;
  /** Computes rows [from, to) of an iteration's tensor at `address`. */
  compute(iteration: number, from: number, to: number, address: number): void;
}

const everySection = <T>(of: (section: Section) => T): Record<Section, T> => ({ prologue: of('prologue'), body: of('body'), epilogue: of('epilogue') });

const compiledPrograms = new WeakMap<Program, Promise<CompiledProgram>>();

/**
 * Compiles all operators of a program to one module; operators with the same kernel, parameters, shapes and kinds of operands share a
 * function. A program is compiled once, however often it is asked for.
 * @throws RangeError when an operator does not fit its kernel, or the program does not fit the memory.
 */
export function compileProgramModule(program: Program): Promise<CompiledProgram> {
  const known = compiledPrograms.get(program);
  if (known !== undefined) return known;
  const compiled = compileModule(program);
  compiledPrograms.set(program, compiled);
  compiled.catch(() => compiledPrograms.delete(program));
  return compiled;
}

async function compileModule(program: Program): Promise<CompiledProgram> {
  const specialized = new Map<string, SpecializedKernel>();
  const keyOf = (section: Section, index: number): string => JSON.stringify([program[section][index]!.kernel, bindOperator(program, section, index)]);
  const kernels = everySection((section) => program[section].map((_, index) => {
    const key = keyOf(section, index);
    const kernel = specialized.get(key) ?? specializeOperator(program, section, index);
    specialized.set(key, kernel);
    return kernel;
  }));
  const layout = layOutMemory(program, kernels);
  const unique = new Map<string, KernelFunction>();
  const functions = everySection((section) => program[section].map(({ operands }, index) => {
    const strides = operands.map((operand) => operandStride(program, layout, operand));
    const key = `${keyOf(section, index)} ${strides.join()}`;
    const found = unique.get(key) ?? { name: `kernel${unique.size}`, kernel: kernels[section][index]!, strides };
    unique.set(key, found);
    return found.name;
  }));
  const bytes = compileKernels([...unique.values()]);
  return { module: await WebAssembly.compile(bytes), layout, functions };
}

/** A model in a memory of its own. */
export interface PreparedMemory {
  readonly memory: Uint8Array;
  readonly operators: Readonly<Record<Section, readonly PreparedOperator[]>>;
}

/** Puts a model's constants into a new memory and links the operators to it. @throws RangeError on constants that don't fit the program. */
export async function instantiateModel({ program, constants }: Model, { module, layout, functions }: CompiledProgram): Promise<PreparedMemory> {
  checkConstants(program, constants);
  const memory = allocate(program, layout.pages);
  const bytes = new Uint8Array(memory.buffer);
  constants.forEach((words, index) => bytes.set(words, layout.constants[index]!));
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const operators = everySection((section) => program[section].map((operator, index): PreparedOperator => {
    const compute = exports[functions[section][index]!] as CompiledKernel;
    const operands = operator.operands.map((operand) => operandAddress(layout, operand));
    return {
      section, index, operator, output: layout.outputs[section][index]!,
      compute: (iteration, from, to, address) => compute(iteration, from, to, address, ...operands),
    };
  }));
  return { memory: bytes, operators };
}

function checkConstants(program: Program, constants: readonly Uint8Array[]): void {
  if (constants.length !== program.constants.length) throw new RangeError(`model '${program.name}' has ${constants.length} constants; its program names ${program.constants.length}`);
  program.constants.forEach((shape, index) => {
    const words = constants[index]!;
    if (words.length !== byteLength(shape)) throw new RangeError(`constant ${index} of model '${program.name}' has ${words.length} bytes, not ${byteLength(shape)} (padded words)`);
    if (!paddingIsZero(shape, words)) throw new RangeError(`constant ${index} of model '${program.name}' has bytes other than zero in its padding`);
  });
}

function allocate(program: Program, pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages });
  } catch (cause) {
    throw new RangeError(`model '${program.name}' needs ${Math.ceil(pages / 16)} MiB of memory, which this machine did not give: close other programs, or run it elsewhere`, { cause });
  }
}

