import { LIMITS, operandShape } from '../program/program.ts';
import type { Operand, Operator, Program, Section } from '../program/program.ts';
import { lanesPerWord, wordCount } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { checkKernel } from './check.ts';
import type { Kernel } from './kernel.ts';
import type { SpecializedKernel } from './specialized.ts';
import { SpecializationWalk } from './specialization-walk.ts';

/** An operand as its reader sees it. */
export interface OperandBinding {
  readonly shape: TensorShape;
  /** `iterated`: a body operator's output, one tensor an iteration. */
  readonly kind: 'single' | 'iterated';
  /** For iterated operands: the newest visible iteration, relative to the reader's own. Default 0. */
  readonly latest?: 0 | -1;
}

/** What an operator fixes about its kernel. */
export interface KernelBinding {
  /** In the order of the kernel's operands. */
  readonly operands: readonly OperandBinding[];
  /** A value for each of the kernel's parameters, each an i32. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly output: TensorShape;
  readonly maxIterations: number;
  /** Which values the iteration coordinate can have; 0 … maxIterations when absent. */
  readonly iterations?: { readonly least: number; readonly greatest: number };
}

const INT32 = { least: -(2 ** 31), greatest: 2 ** 31 - 1 };

/** @throws RangeError when a tensor of this shape can't exist in a program. */
export function checkShape({ element, rows, columns }: TensorShape, what: string): void {
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= INT32.greatest;
  if (!whole(rows) || !whole(columns)) throw new RangeError(`${what} has ${rows} × ${columns} elements; rows and columns are whole numbers from 1 to 2^31 - 1`);
  const words = wordCount({ element, rows, columns });
  if (words > LIMITS.wordsPerTensor) throw new RangeError(`${what} has ${words} words; a tensor has at most ${LIMITS.wordsPerTensor}`);
}

/**
 * Binds a kernel to shapes and parameters: substitutes them, folds constants, shares equal subtrees, and decides by
 * interval analysis which reads need a check while running.
 * @throws RangeError that names the kernel and what is wrong: a parameter missing, unknown or not an i32; a shape that
 * can't be; an operand of the wrong element type; a bound that is not `a + b·iteration` with `1 ≤ a < 2^22`, `0 ≤ b ≤
 * 255`; reductions deeper than three; a read whose iteration must be named, or can't be; too many steps a word.
 */
export function specialize(kernel: Kernel, binding: KernelBinding): SpecializedKernel {
  checkKernel(kernel);
  const fail = (reason: string): never => {
    throw new RangeError(`kernel '${kernel.name}': ${reason}`);
  };
  if (binding.operands.length !== kernel.operands.length) fail(`takes ${kernel.operands.length} operands, got ${binding.operands.length}`);
  kernel.operands.forEach(({ name, type }, index) => {
    const operand = binding.operands[index] as OperandBinding;
    if (operand.shape.element !== type) fail(`operand '${name}' is ${type}, got a tensor of ${operand.shape.element}`);
    checkShape(operand.shape, `kernel '${kernel.name}': operand '${name}'`);
  });
  if (binding.output.element !== kernel.output) fail(`writes ${kernel.output}, but the output's shape says ${binding.output.element}`);
  checkShape(binding.output, `kernel '${kernel.name}': the output`);
  for (const name of kernel.parameters) {
    const value = Object.hasOwn(binding.parameters, name) ? binding.parameters[name] : undefined;
    if (value === undefined) fail(`needs the parameter '${name}'`);
    else if (!Number.isInteger(value) || value < INT32.least || value > INT32.greatest) fail(`parameter '${name}' is ${value}, not a 32-bit integer`);
  }
  for (const name of Object.keys(binding.parameters)) {
    if (!kernel.parameters.includes(name)) fail(`has no parameter '${name}'`);
  }
  const iterations = binding.iterations ?? { least: 0, greatest: binding.maxIterations };
  const ordered = 0 <= iterations.least && iterations.least <= iterations.greatest && iterations.greatest <= INT32.greatest;
  if (!Number.isInteger(iterations.least) || !Number.isInteger(iterations.greatest) || !ordered) {
    fail(`iterations ${iterations.least} to ${iterations.greatest} are no range of whole numbers`);
  }

  const walk = new SpecializationWalk(kernel, binding, iterations, fail);
  const lanes = Math.min(lanesPerWord(binding.output.element), binding.output.columns);
  const element = walk.run(LIMITS.stepsPerWord / lanes);
  return {
    name: kernel.name,
    operands: kernel.operands.map(({ name }, index) => {
      const { shape, kind } = binding.operands[index] as OperandBinding;
      return { name, shape, kind };
    }),
    output: binding.output,
    maxIterations: binding.maxIterations,
    element,
  };
}

/** The operators of a section. */
export const operatorsOf = (program: Program, section: Section): readonly Operator[] => program[section];

/**
 * How operator `index` of a section sees its operands, and which iterations it runs in.
 * @throws RangeError for an operand that the section can't read: later ones, or of a later section.
 */
export function bindOperator(program: Program, section: Section, index: number): KernelBinding {
  const operator = operatorsOf(program, section)[index];
  if (operator === undefined) throw new RangeError(`the program has no ${section} operator ${index}`);
  const { maxIterations } = program;
  const iterations = {
    prologue: { least: 0, greatest: 0 },
    body: { least: 0, greatest: Math.max(0, maxIterations - 1) },
    epilogue: { least: maxIterations, greatest: maxIterations },
  }[section];
  const operands = operator.operands.map((operand): OperandBinding => {
    refuseForwardReads(operator, operand, section, index);
    const shape = operandShape(program, operand);
    if (operand.kind !== 'body') return { shape, kind: 'single' };
    return { shape, kind: 'iterated', latest: section === 'body' && operand.operator < index ? 0 : -1 };
  });
  return { operands, parameters: operator.parameters, output: operator.output, maxIterations, iterations };
}

function refuseForwardReads(operator: Operator, operand: Operand, section: Section, index: number): void {
  const refuse = (reason: string): never => {
    throw new RangeError(`operator '${operator.name}' (${section} ${index}) reads ${reason}`);
  };
  if (operand.kind === 'constant' || operand.kind === 'input' || operand.kind === 'seed') return;
  const order: readonly Section[] = ['prologue', 'body', 'epilogue'];
  if (order.indexOf(operand.kind) > order.indexOf(section)) refuse(`a ${operand.kind} operator, which runs later`);
  if (operand.kind === section && section !== 'body' && operand.operator >= index) refuse(`${section} operator ${operand.operator}, which does not run before it`);
}

/**
 * The kernel of operator `index` of a section, bound to what the program says about it.
 * @throws RangeError when the operator does not exist or does not fit its kernel; see `specialize`.
 */
export function specializeOperator(program: Program, section: Section, index: number): SpecializedKernel {
  const binding = bindOperator(program, section, index);
  const operator = operatorsOf(program, section)[index] as Operator;
  const kernel = program.kernels[operator.kernel];
  if (kernel === undefined) throw new RangeError(`operator '${operator.name}' (${section} ${index}) names kernel ${operator.kernel}, which the program does not have`);
  try {
    return specialize(kernel, binding);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`operator '${operator.name}' (${section} ${index}): ${error.message}`, { cause: error });
  }
}
