import type { Kernel } from '../language/kernel.ts';
import type { TensorShape } from './tensor.ts';

/** What an operator reads. `body k` is one tensor an iteration. */
export type Operand =
  | { readonly kind: 'constant'; readonly constant: number }
  | { readonly kind: 'input' }
  | { readonly kind: 'prologue' | 'body' | 'epilogue'; readonly operator: number }
  /** One i8 word: the request's seed. */
  | { readonly kind: 'seed' };

/** One application of a kernel. Every run of it writes one new tensor, never touched again. */
export interface Operator {
  readonly name: string;
  /** Index into the program's kernels. */
  readonly kernel: number;
  readonly parameters: Readonly<Record<string, number>>;
  readonly output: TensorShape;
  /** In the order of the kernel's operands. */
  readonly operands: readonly Operand[];
}

export type Section = 'prologue' | 'body' | 'epilogue';

/** In the order in which they run, and in which their operators are numbered. */
export const SECTIONS = ['prologue', 'body', 'epilogue'] as const satisfies readonly Section[];

/** What a model compiles to; see docs/word-machine.md for how it is encoded and committed to. */
export interface Program {
  readonly name: string;
  /** What dApps see, e.g. `detect(string)->(string)`. */
  readonly signature: string;
  readonly input: TensorShape;
  readonly kernels: readonly Kernel[];
  readonly constants: readonly TensorShape[];
  readonly prologue: readonly Operator[];
  readonly body: readonly Operator[];
  readonly epilogue: readonly Operator[];
  /** 0 exactly when there is no body. */
  readonly maxIterations: number;
  /** What happens outside the proven program (input scaling, labels, licence, source), for people and clients. JSON values only. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A program with its constants, as padded words. */
export interface Model {
  readonly program: Program;
  readonly constants: readonly Uint8Array[];
  /** Files that clients need and the program does not, by name; see `attach`. */
  readonly attachments?: Readonly<Record<string, Uint8Array>>;
}

/** Caps that admission enforces. */
export const LIMITS = {
  operatorsPerSection: 2 ** 12,
  slots: 2 ** 32,
  wordsPerTensor: 2 ** 28,
  instructionsPerKernel: 2 ** 10,
  stepsPerWord: 2 ** 24,
  steps: 2 ** 48,
  operandsPerOperator: 8,
} as const;

/** Where in the program a slot is written. */
export interface SlotPlace {
  readonly section: Section;
  /** Index in the section. */
  readonly index: number;
  /** 0 in the prologue, `maxIterations` in the epilogue. */
  readonly iteration: number;
  readonly operator: Operator;
}

/** Number of slots: `P + Tmax·B + E`. */
export const slotCount = (program: Program): number =>
  program.prologue.length + program.maxIterations * program.body.length + program.epilogue.length;

/** The slot that operator `index` of a section writes (in `iteration`, for the body). */
export function slotOf(program: Program, section: Section, index: number, iteration = 0): number {
  if (section === 'prologue') return index;
  if (section === 'body') return program.prologue.length + iteration * program.body.length + index;
  return program.prologue.length + program.maxIterations * program.body.length + index;
}

/** The inverse of `slotOf`. @throws RangeError when the program has no such slot. */
export function placeOf(program: Program, slot: number): SlotPlace {
  const { prologue, body, epilogue, maxIterations } = program;
  const found = (section: Section, list: readonly Operator[], index: number, iteration: number): SlotPlace => {
    const operator = list[index];
    if (operator === undefined) throw new RangeError(`the program has no slot ${slot}`);
    return { section, index, iteration, operator };
  };
  if (slot < prologue.length) return found('prologue', prologue, slot, 0);
  const inBody = slot - prologue.length;
  if (inBody < maxIterations * body.length) return found('body', body, inBody % body.length, Math.floor(inBody / body.length));
  return found('epilogue', epilogue, inBody - maxIterations * body.length, maxIterations);
}

/** The shape of what an operand reads. */
export function operandShape(program: Program, operand: Operand): TensorShape {
  const shape = {
    constant: () => program.constants[(operand as { constant: number }).constant],
    input: () => program.input,
    seed: (): TensorShape => ({ element: 'i8', rows: 1, columns: 32 }),
    prologue: () => program.prologue[(operand as { operator: number }).operator]?.output,
    body: () => program.body[(operand as { operator: number }).operator]?.output,
    epilogue: () => program.epilogue[(operand as { operator: number }).operator]?.output,
  }[operand.kind]();
  if (shape === undefined) throw new RangeError(`operand names no tensor: ${JSON.stringify(operand)}`);
  return shape;
}
