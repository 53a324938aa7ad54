import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64, requantize } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { placed, placed32, roundedQuotient } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/*
 * Arithmetic on two tensors of fixed-point numbers, each with a scale and a zero point of its own: eight bits as i8, more as i32. Operands broadcast: the element of
 * `a` for (row, column) is `a[(row div aDivide) mod a.rows][column]`, or column 0 if a has one column; b likewise.
 *
 * Shapes: a [Ra][C or 1], b [Rb][C or 1], y [R][C].
 */

/** Element types of the operands and of the result. */
export interface BinaryForm { readonly a: ElementType; readonly b: ElementType; readonly output: ElementType }

const broadcastParameters = ['aDivide', 'bDivide'] as const;
const outputParameters = ['zeroPoint', 'low', 'high'] as const;

/** The element that a broadcast operand has for an element of the output. */
export const broadcastAt = (x: TensorOperand, row: I32, column: I32, divide: I32): I32 =>
  x.at(row.div(divide).mod(x.rows), x.columns.eq(1).select(int32(0), column));

type Names = readonly string[];
interface Scope<P extends string> { readonly a: I32; readonly b: I32; readonly parameters: { readonly [K in P]: I32 } }

function binary<const P extends Names>(name: string, own: P, value: (scope: Scope<P[number] | (typeof outputParameters)[number]>) => I32): (form: BinaryForm) => Kernel {
  return remembered((form: BinaryForm) =>
    kernel(`${name}-${form.a}-${form.b}-${form.output}`, {
      operands: { a: form.a, b: form.b },
      parameters: [...broadcastParameters, 'aZero', 'bZero', ...own],
      output: form.output,
      element: ({ row, column, operands: { a, b }, parameters }) => {
        const all = parameters as Readonly<Record<string, I32>>;
        return value({
          a: broadcastAt(a, row, column, all['aDivide'] as I32).sub(all['aZero'] as I32),
          b: broadcastAt(b, row, column, all['bDivide'] as I32).sub(all['bZero'] as I32),
          parameters: all as Scope<P[number] | (typeof outputParameters)[number]>['parameters'],
        });
      },
    }));
}

/** `y = clamp((a' · aMultiplier + b' · bMultiplier + half) >> shift + zeroPoint)`, with `x' = x − its zero point`; multipliers may be negative (a difference). */
export const weightedSum = binary('weighted-sum', ['aMultiplier', 'bMultiplier', 'shift', ...outputParameters], ({ a, b, parameters }) => {
  const { aMultiplier, bMultiplier, shift } = parameters;
  const total = a.wide().mul(aMultiplier.wide()).add(b.wide().mul(bMultiplier.wide()));
  return placed(total.add(int64(1).shl(shift.sub(1).wide())).shr(shift.wide()), parameters);
});

/** `y = clamp(requantize(a' · b', multiplier, shift) + zeroPoint)`. */
export const product = binary('product', ['multiplier', 'shift', ...outputParameters], ({ a, b, parameters }) =>
  placed32(requantize(a.mul(b), { multiplier: parameters.multiplier, shift: parameters.shift }), parameters));

/** `y = clamp(round(a' · multiplier / (b' · 2^shift)) + zeroPoint)`, halves away from zero; the zero point where b' = 0. */
export const quotient = binary('quotient', ['multiplier', 'shift', ...outputParameters], ({ a, b, parameters }) =>
  placed(roundedQuotient(a.wide().mul(parameters.multiplier.wide()), b.wide().shl(parameters.shift.wide())), parameters));

const extreme = (name: string, which: 'min' | 'max'): ((form: BinaryForm) => Kernel) =>
  binary(name, ['aMultiplier', 'aShift', 'bMultiplier', 'bShift', ...outputParameters], ({ a, b, parameters }) => {
    const left = requantize(a, { multiplier: parameters.aMultiplier, shift: parameters.aShift });
    return placed32(left[which](requantize(b, { multiplier: parameters.bMultiplier, shift: parameters.bShift })), parameters);
  });
/** The lesser of both, each brought to the output's scale. */
export const lesser = extreme('lesser', 'min');
/** The greater of both, each brought to the output's scale. */
export const greater = extreme('greater', 'max');

/** What two numbers are compared for. */
export type Comparison = 'equal' | 'less' | 'less-or-equal';

/** 1 where `a' · aMultiplier` and `b' · bMultiplier` compare so, else 0; 64-bit products. */
export const compared = remembered(({ a, b, comparison }: { readonly a: ElementType; readonly b: ElementType; readonly comparison: Comparison }): Kernel =>
  kernel(`compared-${comparison}-${a}-${b}`, {
    operands: { a, b },
    parameters: [...broadcastParameters, 'aZero', 'bZero', 'aMultiplier', 'bMultiplier'],
    output: i8,
    element: ({ row, column, operands, parameters }) => {
      const side = (x: TensorOperand, divide: I32, zero: I32, multiplier: I32): I64 => broadcastAt(x, row, column, divide).sub(zero).wide().mul(multiplier.wide());
      const left = side(operands.a, parameters.aDivide, parameters.aZero, parameters.aMultiplier);
      const right = side(operands.b, parameters.bDivide, parameters.bZero, parameters.bMultiplier);
      return { equal: left.eq(right), less: left.lt(right), 'less-or-equal': left.le(right) }[comparison];
    },
  }));

/** `and`, `or`, `xor` of what is not zero: 0 or 1. */
export const logical = remembered(({ a, b, operator }: { readonly a: ElementType; readonly b: ElementType; readonly operator: 'and' | 'or' | 'xor' }): Kernel =>
  kernel(`logical-${operator}-${a}-${b}`, {
    operands: { a, b },
    parameters: [...broadcastParameters],
    output: i8,
    element: ({ row, column, operands, parameters: { aDivide, bDivide } }) =>
      broadcastAt(operands.a, row, column, aDivide).eq(0).xor(1)[operator](broadcastAt(operands.b, row, column, bDivide).eq(0).xor(1)),
  }));

/**
 * One of two numbers by a condition (ONNX `Where`): `y = clamp(requantize(x', xMultiplier, xShift) + zeroPoint)` with x = a where the condition is not 0, else b. The condition
 * has y's shape, or broadcasts as the others do.
 */
export const chosen = remembered(({ condition, a, b, output }: BinaryForm & { readonly condition: ElementType }): Kernel =>
  kernel(`chosen-${condition}-${a}-${b}-${output}`, {
    operands: { condition, a, b },
    parameters: ['conditionDivide', ...broadcastParameters, 'aZero', 'bZero', 'aMultiplier', 'aShift', 'bMultiplier', 'bShift', ...outputParameters],
    output,
    element: ({ row, column, operands, parameters: p }) => {
      const left = requantize(broadcastAt(operands.a, row, column, p.aDivide).sub(p.aZero), { multiplier: p.aMultiplier, shift: p.aShift });
      const right = requantize(broadcastAt(operands.b, row, column, p.bDivide).sub(p.bZero), { multiplier: p.bMultiplier, shift: p.bShift });
      return placed32(broadcastAt(operands.condition, row, column, p.conditionDivide).eq(0).select(right, left), p);
    },
  }));
