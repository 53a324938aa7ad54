import type { ScalarType } from '../language/expression.ts';
import type { FunctionBuilder } from './function-builder.ts';
import type { GraphOperator } from './graph.ts';

/** Pushes a value on the stack; may be called more than once. */
export type Push = () => void;

/**
 * Pushes `left operator right`, with the language's meaning for every operand. `divisor` is the right side where it is a
 * constant, which saves the guards: WebAssembly's division traps on 0, and on MIN / -1.
 */
export function pushBinary(code: FunctionBuilder, operator: GraphOperator, type: ScalarType, left: Push, right: Push, divisor?: bigint): void {
  switch (operator) {
    case 'div': {
      if (divisor === 0n) { pushConstant(code, type, 0n); return; }
      if (divisor === -1n) { pushConstant(code, type, 0n); left(); code.op(`${type}.sub`); return; }
      if (divisor !== undefined) break;
      // Divide by 1 where the divisor is 0 or -1, and put the right quotients in afterwards.
      pushConstant(code, type, 0n);
      pushConstant(code, type, 0n);
      left();
      code.op(`${type}.sub`);
      left();
      pushSafeDivisor(code, type, right);
      code.op(`${type}.div_s`);
      right();
      pushConstant(code, type, -1n);
      code.op(`${type}.eq`).op('select');
      right();
      code.op(`${type}.eqz`).op('select');
      return;
    }
    case 'mod':
      if (divisor === 0n || divisor === -1n) { pushConstant(code, type, 0n); return; }
      if (divisor !== undefined) break;
      left();
      pushSafeDivisor(code, type, right);
      code.op(`${type}.rem_s`);
      return;
    case 'min':
    case 'max':
      left();
      right();
      left();
      right();
      code.op(operator === 'min' ? `${type}.lt_s` : `${type}.gt_s`).op('select');
      return;
    default:
  }
  left();
  right();
  code.op(`${type}.${INSTRUCTION[operator]}`);
}

const INSTRUCTION = {
  add: 'add', sub: 'sub', mul: 'mul', div: 'div_s', mod: 'rem_s', shl: 'shl', shr: 'shr_s', shru: 'shr_u',
  and: 'and', or: 'or', xor: 'xor', lt: 'lt_s', le: 'le_s', eq: 'eq', ltu: 'lt_u',
} as const;

/** The divisor, or 1 where it is 0 or -1: `x mod 1` is right for both, `x / 1` is safe. */
function pushSafeDivisor(code: FunctionBuilder, type: ScalarType, divisor: Push): void {
  pushConstant(code, type, 1n);
  divisor();
  divisor();
  pushConstant(code, type, 1n);
  code.op(`${type}.add`);
  pushConstant(code, type, 2n);
  code.op(`${type}.lt_u`).op('select');
}

export function pushConstant(code: FunctionBuilder, type: ScalarType, value: bigint): void {
  if (type === 'i32') code.i32(Number(value));
  else code.i64(value);
}

/** Pushes half of 2^shift as an i64 (0 for a shift of 0): what requantisation adds to round. */
export function pushRounding(code: FunctionBuilder, shift: Push): void {
  code.i64(1);
  shift();
  code.op('i64.extend_i32_s').op('i64.shl').i64(1).op('i64.shr_u');
}

/** Takes a rounded product and its shift (both i64) from the stack; pushes the shifted, saturated i32. */
export function pushSaturated(code: FunctionBuilder): void {
  const value = code.local('i64');
  code.op('i64.shr_s').set(value);
  pushBinary(code, 'min', 'i64', () => code.get(value), () => code.i64(0x7fffffffn));
  code.set(value);
  pushBinary(code, 'max', 'i64', () => code.get(value), () => code.i64(-0x80000000n));
  code.op('i32.wrap_i64');
  code.release(value);
}

/** What a reduction starts from. */
export function identity(operator: 'add' | 'min' | 'max' | 'and' | 'or' | 'xor', type: ScalarType): bigint {
  const bits = type === 'i32' ? 31n : 63n;
  if (operator === 'min') return 2n ** bits - 1n;
  if (operator === 'max') return -(2n ** bits);
  return operator === 'and' ? -1n : 0n;
}
