import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { int64 } from '../deterministic-runtime/language/scalar.ts';
import { broadcastAt } from './arithmetic.ts';
import type { BinaryForm } from './arithmetic.ts';
import { placed, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/** Whose sign a remainder has: the divisor's (Python's `%`), or the dividend's (C's `fmod`). */
export type RemainderSign = 'divisor' | 'dividend';

/**
 * Remainders of two tensors that broadcast as those of `arithmetic.ts` do, on a scale that both are brought to: `y = clamp((r · multiplier + half) >> shift + zeroPoint)` with
 * `r = l − m · q`, `l = (a − aZero) · aMultiplier`, `m = (b − bZero) · bMultiplier`, q their quotient cut to a whole number (downwards where the divisor gives the sign); l where m is 0.
 * All in 64 bits.
 */
export const remainder = remembered(({ a, b, output, sign }: BinaryForm & { readonly sign: RemainderSign }): Kernel =>
  kernel(`remainder-${sign}-${a}-${b}-${output}`, {
    operands: { a, b },
    parameters: ['aDivide', 'bDivide', 'aZero', 'bZero', 'aMultiplier', 'bMultiplier', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands, parameters: p }) => {
      const side = (x: TensorOperand, divide: I32, zero: I32, multiplier: I32): I64 => broadcastAt(x, row, column, divide).sub(zero).wide().mul(multiplier.wide());
      const [dividend, divisor] = [side(operands.a, p.aDivide, p.aZero, p.aMultiplier), side(operands.b, p.bDivide, p.bZero, p.bMultiplier)];
      const rest = dividend.sub(dividend.div(divisor).mul(divisor));
      // Quotients are cut towards zero: a rest of the other sign is one divisor too far.
      const other = rest.lt(0).xor(divisor.lt(0)).and(rest.eq(0).xor(1));
      const signed = sign === 'divisor' ? rest.add(other.eq(1).select(divisor, int64(0))) : rest;
      return placed(scaled(signed, p.multiplier, p.shift), p);
    },
  }));
