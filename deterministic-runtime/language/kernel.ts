import type { ElementType, Expression } from './expression.ts';
import { I32, Word } from './scalar.ts';

/** Operand and output types, as kernels name them. `requantization` is an i32 tensor of two rows: multipliers, shifts. */
export const i8 = 'i8' as const;
export const i32 = 'i32' as const;
export const requantization = 'requantization' as const;
export type OperandType = ElementType | typeof requantization;

/** Reads in another iteration than the default one (the reader's own), for operands that body operators write. */
export interface ReadOptions { readonly iteration?: I32 }

interface Shape { readonly rows: I32; readonly columns: I32; /** Words in a row. */ readonly words: I32 }

/** An operand of i8 or i32 elements. Reads outside it are zero. */
export interface TensorOperand extends Shape {
  /** Element at (row, column). */
  at(row: I32 | number, column: I32 | number, options?: ReadOptions): I32;
  /** Element of a one-row tensor. */
  at(column: I32 | number): I32;
}
export interface ByteOperand extends TensorOperand {
  /** Word `index` of `row`: 32 elements. */
  word(row: I32 | number, index: I32 | number, options?: ReadOptions): Word;
}
/** Per-channel scales. */
export interface RequantizationOperand { at(channel: I32 | number): { readonly multiplier: I32; readonly shift: I32 } }

type OperandOf<T extends OperandType> = T extends 'i8' ? ByteOperand : T extends 'i32' ? TensorOperand : RequantizationOperand;

/** What `element` gets. */
export interface ElementScope<O extends Record<string, OperandType>, P extends string> {
  readonly row: I32;
  readonly column: I32;
  /** The iteration that the operator runs in: 0 in the prologue, the program's maximum in the epilogue. */
  readonly iteration: I32;
  readonly output: Shape;
  readonly operands: { readonly [K in keyof O]: OperandOf<O[K]> };
  readonly parameters: { readonly [K in P]: I32 };
}

/** A kernel's definition as data: its canonical form is a function of this alone. */
export interface Kernel {
  readonly name: string;
  /** In declaration order, which is the order of an operator's operands. */
  readonly operands: readonly { readonly name: string; readonly type: ElementType }[];
  readonly parameters: readonly string[];
  readonly output: ElementType;
  /** An i32. An i8 output keeps its low eight bits. */
  readonly element: Expression;
}

/** Defines a kernel: how one element of the output follows from the operands. */
export function kernel<const O extends Record<string, OperandType>, const P extends string = never>(
  name: string,
  definition: {
    readonly operands: O;
    readonly parameters?: readonly P[];
    readonly output: ElementType;
    readonly element: (scope: ElementScope<O, P>) => I32;
  },
): Kernel {
  const operands = Object.fromEntries(
    Object.entries(definition.operands).map(([operand, type]) => [operand, type === requantization ? scales(operand) : tensor(operand)]),
  );
  const parameters = Object.fromEntries((definition.parameters ?? []).map((parameter) => [parameter, new I32({ kind: 'parameter', name: parameter })]));
  const scope = {
    row: new I32({ kind: 'coordinate', of: 'row' }),
    column: new I32({ kind: 'coordinate', of: 'column' }),
    iteration: new I32({ kind: 'coordinate', of: 'iteration' }),
    output: shape(null),
    operands,
    parameters,
  };
  return {
    name,
    operands: Object.entries(definition.operands).map(([operand, type]) => ({ name: operand, type: type === requantization ? 'i32' : type })),
    parameters: definition.parameters ?? [],
    output: definition.output,
    element: definition.element(scope as unknown as ElementScope<O, P>).expression,
  };
}

function shape(operand: string | null): Shape {
  const extent = (of: 'rows' | 'columns' | 'words'): I32 => new I32({ kind: 'extent', operand, of });
  return { rows: extent('rows'), columns: extent('columns'), words: extent('words') };
}

const toExpression = (value: I32 | number): Expression =>
  typeof value === 'number' ? { kind: 'constant', type: 'i32', value: BigInt(value) } : value.expression;

function tensor(operand: string): ByteOperand {
  return {
    ...shape(operand),
    at(first: I32 | number, second?: I32 | number, options?: ReadOptions): I32 {
      const [row, column] = second === undefined ? [0, first] : [first, second];
      return new I32({ kind: 'load', operand, iteration: options?.iteration?.expression ?? null, row: toExpression(row), column: toExpression(column) });
    },
    word(row, index, options): Word {
      return new Word({ kind: 'word', operand, iteration: options?.iteration?.expression ?? null, row: toExpression(row), index: toExpression(index) });
    },
  };
}

function scales(operand: string): RequantizationOperand {
  const values = tensor(operand);
  return { at: (channel) => ({ multiplier: values.at(0, channel), shift: values.at(1, channel) }) };
}
