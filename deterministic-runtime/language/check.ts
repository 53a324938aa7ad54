import { LIMITS } from '../program/program.ts';
import { bitsOf } from './arithmetic.ts';
import { typeOf } from './expression.ts';
import type { Expression, ScalarType, WordExpression } from './expression.ts';
import type { Kernel } from './kernel.ts';
import { MAX_REDUCTION_DEPTH } from './scalar.ts';

/** How deep an expression may be, so that no walk over one exhausts the stack. */
export const MAX_EXPRESSION_DEPTH = 1024;

const isLevel = (level: number): boolean => Number.isInteger(level) && level >= 0 && level < MAX_REDUCTION_DEPTH;

/**
 * Refuses kernels without a meaning: names that are not declared, values of the wrong type, running indices outside
 * their reduction, words of i32 operands, more than eight operands, expressions deeper than `MAX_EXPRESSION_DEPTH`.
 * @throws RangeError that names the kernel and what is wrong.
 */
export function checkKernel(kernel: Kernel): void {
  const fail = (reason: string): never => {
    throw new RangeError(`kernel '${kernel.name}': ${reason}`);
  };
  const types = new Map(kernel.operands.map(({ name, type }) => [name, type]));
  const parameters = new Set(kernel.parameters);
  if (types.size !== kernel.operands.length) fail('two operands have one name');
  if (parameters.size !== kernel.parameters.length) fail('two parameters have one name');
  if (kernel.operands.length > LIMITS.operandsPerOperator) fail(`has ${kernel.operands.length} operands, at most ${LIMITS.operandsPerOperator} are possible`);

  // Visible indices are a set of levels, as bits; a subtree's verdict depends on them and on nothing else.
  const heights = new Map<Expression | WordExpression, Map<number, number>>();

  const known = (operand: string): void => {
    if (!types.has(operand)) fail(`reads '${operand}', which is not among its operands`);
  };
  const expect = (type: ScalarType, expression: Expression, what: string): void => {
    if (typeOf(expression) !== type) fail(`${what} is ${typeOf(expression)}, not ${type}`);
  };

  function visit(expression: Expression | WordExpression, visible: number, depth: number): number {
    if (depth > MAX_EXPRESSION_DEPTH) fail(`is deeper than ${MAX_EXPRESSION_DEPTH} expressions`);
    const byScope = heights.get(expression) ?? new Map<number, number>();
    const seen = byScope.get(visible);
    if (seen !== undefined) return seen;
    heights.set(expression, byScope);
    const children = childrenOf(expression, visible).map(([child, scope]) => visit(child, scope, depth + 1));
    const height = 1 + Math.max(0, ...children);
    if (height > MAX_EXPRESSION_DEPTH) fail(`is deeper than ${MAX_EXPRESSION_DEPTH} expressions`);
    byScope.set(visible, height);
    return height;
  }

  function childrenOf(expression: Expression | WordExpression, visible: number): (readonly [Expression | WordExpression, number])[] {
    const here = (...list: (Expression | WordExpression | null)[]): (readonly [Expression | WordExpression, number])[] =>
      list.filter((child) => child !== null).map((child) => [child, visible] as const);
    switch (expression.kind) {
      case 'constant':
        if (BigInt.asIntN(bitsOf(expression.type), expression.value) !== expression.value) fail(`the constant ${expression.value} does not fit ${expression.type}`);
        return [];
      case 'parameter':
        if (!parameters.has(expression.name)) fail(`uses '${expression.name}', which is not among its parameters`);
        return [];
      case 'extent':
        if (expression.operand !== null) known(expression.operand);
        return [];
      case 'coordinate':
        return [];
      case 'index':
        if (!isLevel(expression.level) || (visible & (1 << expression.level)) === 0) fail(`uses the index of a reduction (level ${expression.level}) outside that reduction`);
        return [];
      case 'load':
      case 'word': {
        known(expression.operand);
        const position = expression.kind === 'load' ? expression.column : expression.index;
        if (expression.kind === 'word' && types.get(expression.operand) !== 'i8') fail(`reads a word of '${expression.operand}', which is not i8`);
        expect('i32', expression.row, `the row of a read of '${expression.operand}'`);
        expect('i32', position, `the position of a read of '${expression.operand}'`);
        if (expression.iteration !== null) expect('i32', expression.iteration, `the iteration of a read of '${expression.operand}'`);
        return here(expression.row, position, expression.iteration);
      }
      case 'dot32':
        return here(expression.left, expression.right);
      case 'binary':
        expect(expression.type, expression.left, `the left side of '${expression.operator}'`);
        expect(expression.type, expression.right, `the right side of '${expression.operator}'`);
        return here(expression.left, expression.right);
      case 'select':
        expect('i32', expression.condition, 'the condition of a select');
        expect(expression.type, expression.whenTrue, 'a branch of a select');
        expect(expression.type, expression.whenFalse, 'a branch of a select');
        return here(expression.condition, expression.whenTrue, expression.whenFalse);
      case 'requantize':
        expect('i32', expression.accumulator, "requantize's accumulator");
        expect('i32', expression.multiplier, "requantize's multiplier");
        expect('i32', expression.shift, "requantize's shift");
        return here(expression.accumulator, expression.multiplier, expression.shift);
      case 'convert':
        return here(expression.value);
      case 'reduce': {
        const { level } = expression;
        if (!isLevel(level)) fail(`has a reduction at level ${level}; levels are 0 to ${MAX_REDUCTION_DEPTH - 1}`);
        expect('i32', expression.bound, 'the bound of a reduction');
        expect(expression.type, expression.body, 'the body of a reduction');
        const outer = visible & ((1 << level) - 1);
        return [[expression.bound, visible], [expression.body, outer | (1 << level)]];
      }
    }
  }

  visit(kernel.element, 0, 0);
  expect('i32', kernel.element, 'the element');
}
