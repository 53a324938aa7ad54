import fc from 'fast-check';
import type { Model, Operand, Operator, Program, Section } from '../../program/program.ts';
import { packTensor } from '../../program/tensor.ts';
import type { TensorShape } from '../../program/tensor.ts';
import { compileWordCode } from '../../word-code/compile.ts';
import type { Expression } from '../expression.ts';
import type { Kernel } from '../kernel.ts';
import { specializeOperator } from '../specialize.ts';
import { Random, randomElements } from './random.ts';
import { randomKernel } from './random-kernel.ts';
import type { RandomOperand } from './random-kernel.ts';

/** A whole small model to try a back end with. */
export interface RandomCase {
  /** How to make it again: `generateCase(seed, size)`. */
  readonly made: string;
  /** The first operator's kernel. */
  readonly kernel: Kernel;
  readonly program: Program;
  readonly model: Model;
  /** Padded words. */
  readonly input: Uint8Array;
  /** Another input, for a second run on the buffers that the first one left dirty. */
  readonly otherInput: Uint8Array;
  /** The request's seed, 32 bytes. */
  readonly seed: Uint8Array;
}

const COLUMNS = [1, 1, 2, 5, 7, 8, 9, 16, 17, 31, 32, 33, 40, 64, 65];

function randomShape(random: Random): TensorShape {
  return { element: random.chance(60) ? 'i8' : 'i32', rows: random.integer(1, 4), columns: random.pick(COLUMNS) };
}

const tensorOf = (random: Random, shape: TensorShape): Uint8Array => packTensor(shape, randomElements(random, shape.element, shape.rows * shape.columns));

/** Operators of one section before their kernels are made: later ones may be read by earlier ones. */
interface Outline {
  readonly shapes: Readonly<Record<Section, readonly TensorShape[]>>;
  readonly maxIterations: number;
  readonly input: TensorShape;
}

function randomOutline(random: Random): Outline {
  const shapes = (count: number): TensorShape[] => Array.from({ length: count }, () => randomShape(random));
  const input = randomShape(random);
  if (random.chance(50)) return { shapes: { prologue: shapes(random.integer(1, 2)), body: [], epilogue: [] }, maxIterations: 0, input };
  const element = random.pick(['i8', 'i32'] as const);
  const stop: TensorShape = { element, rows: 1, columns: random.integer(1, element === 'i8' ? 32 : 8) };
  return {
    shapes: { prologue: shapes(random.integer(0, 1)), body: [...shapes(random.integer(0, 2)), stop], epilogue: shapes(random.integer(1, 2)) },
    maxIterations: random.integer(1, 4),
    input,
  };
}

interface Source {
  readonly operand: Operand;
  readonly shape: TensorShape;
  readonly iteration: RandomOperand['iteration'];
}

/** What operator `index` of a section may read; constants are made as they are chosen. */
function sourcesOf(random: Random, outline: Outline, section: Section, index: number, constants: TensorShape[]): Source[] {
  const { prologue, body, epilogue } = outline.shapes;
  const earlier = (kind: 'prologue' | 'epilogue', shapes: readonly TensorShape[], end: number): Source[] =>
    shapes.slice(0, end).map((shape, operator) => ({ operand: { kind, operator }, shape, iteration: 'single' }));
  const ofBody = (): Source[] => body.map((shape, operator) => ({
    operand: { kind: 'body', operator }, shape, iteration: section === 'body' && operator < index ? 'optional' : 'required',
  }));
  const all: Source[] = [
    { operand: { kind: 'input' }, shape: outline.input, iteration: 'single' },
    { operand: { kind: 'seed' }, shape: { element: 'i8', rows: 1, columns: 32 }, iteration: 'single' },
    ...earlier('prologue', prologue, section === 'prologue' ? index : prologue.length),
    ...(section === 'prologue' ? [] : [...ofBody(), ...ofBody()]),
    ...earlier('epilogue', epilogue, section === 'epilogue' ? index : 0),
  ];
  return Array.from({ length: random.integer(1, 4) }, () => {
    if (random.chance(65)) return random.pick(all);
    const shape = randomShape(random);
    return { operand: { kind: 'constant', constant: constants.push(shape) - 1 }, shape, iteration: 'single' };
  });
}

/** Stops the body in iteration `stopAt`, and else at most by chance. */
function stopping(kernel: Kernel): Kernel {
  const parameter = (name: string): Expression => ({ kind: 'parameter', name });
  const now: Expression = { kind: 'binary', operator: 'eq', type: 'i32', left: { kind: 'coordinate', of: 'iteration' }, right: parameter('stopAt') };
  const masked: Expression = { kind: 'binary', operator: 'and', type: 'i32', left: kernel.element, right: parameter('mask') };
  const element: Expression = { kind: 'binary', operator: 'or', type: 'i32', left: masked, right: now };
  return { ...kernel, parameters: [...kernel.parameters, 'stopAt', 'mask'], element };
}

function attempt(random: Random, size: number, made: string): RandomCase {
  const outline = randomOutline(random);
  const constants: TensorShape[] = [];
  const kernels: Kernel[] = [];
  const operators = (section: Section): Operator[] => outline.shapes[section].map((output, index) => {
    const sources = sourcesOf(random, outline, section, index, constants);
    const operands = sources.map(({ shape, iteration }, position): RandomOperand => ({
      name: `operand${position}`, type: shape.element, rows: shape.rows, columns: shape.columns, iteration,
    }));
    const name = `${section}-${index}`;
    const { kernel, parameters } = randomKernel(random, { name, operands, output: output.element, size, maxIterations: outline.maxIterations });
    const stops = section === 'body' && index === outline.shapes.body.length - 1;
    kernels.push(stops ? stopping(kernel) : kernel);
    const more = stops ? { stopAt: random.integer(0, outline.maxIterations), mask: random.chance(80) ? 0 : random.pick([1, 64, -1]) } : {};
    return { name, kernel: kernels.length - 1, parameters: { ...parameters, ...more }, output, operands: sources.map(({ operand }) => operand) };
  });
  const prologue = operators('prologue');
  const body = operators('body');
  const epilogue = operators('epilogue');
  const program: Program = {
    name: 'random', signature: 'random(bytes)->(bytes)', input: outline.input, kernels, constants, prologue, body, epilogue,
    maxIterations: outline.maxIterations, metadata: {},
  };
  const model: Model = { program, constants: constants.map((shape) => tensorOf(random, shape)) };
  return {
    made,
    kernel: kernels[0] as Kernel,
    program,
    model,
    input: tensorOf(random, outline.input),
    otherInput: tensorOf(random, outline.input),
    seed: Uint8Array.from({ length: 32 }, () => random.bits() & 255),
  };
}

/** True when every operator fits the word machine; random kernels sometimes keep more values than it has registers. */
function fits(program: Program): boolean {
  try {
    for (const section of ['prologue', 'body', 'epilogue'] as const) {
      program[section].forEach((_, index) => compileWordCode(specializeOperator(program, section, index)));
    }
    return true;
  } catch (error) {
    if (error instanceof RangeError && /split it into several operators/.test(error.message)) return false;
    throw error;
  }
}

/**
 * A random model that the word machine can run: up to two operators, or a body of up to three with what is around it.
 * @param size roughly the number of expressions in a kernel.
 */
export function generateCase(seed: number, size: number): RandomCase {
  for (let again = 0; ; again += 1) {
    const candidate = attempt(new Random(seed + again * 7919), size, `generateCase(${seed}, ${size})`);
    if (fits(candidate.program)) return candidate;
  }
}

/** Random models, small ones first when fast-check shrinks. */
export const arbitraryCase = (): fc.Arbitrary<RandomCase> =>
  fc.tuple(fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })), fc.integer({ min: 1, max: 30 })).map(([seed, size]) => {
    const made = generateCase(seed, size);
    return Object.assign(made, { [fc.toStringMethod]: () => made.made });
  });
