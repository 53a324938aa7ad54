import type { FunctionBuilder, Local } from '../wasm/assembler.ts';
import { Opcode, WIDE } from '../word-code/instruction.ts';

/** Pushes a 64-bit value. */
type Push = () => unknown;

const SIMPLE: Readonly<Record<number, 'add' | 'sub' | 'mul' | 'shl' | 'shr_s' | 'shr_u' | 'and' | 'or' | 'xor'>> = {
  [Opcode.ADD]: 'add', [Opcode.SUB]: 'sub', [Opcode.MUL]: 'mul',
  [Opcode.SHL]: 'shl', [Opcode.SHR]: 'shr_s', [Opcode.SHRU]: 'shr_u',
  [Opcode.AND]: 'and', [Opcode.OR]: 'or', [Opcode.XOR]: 'xor',
};
const COMPARISONS: Readonly<Record<number, 'lt_s' | 'le_s' | 'eq'>> = { [Opcode.LT]: 'lt_s', [Opcode.LE]: 'le_s', [Opcode.EQ]: 'eq' };

/** Pushes the 64-bit result of one of ADD … MAD, in either width. */
export function emitArithmetic(code: FunctionBuilder, op: number, a: Push, b: Push, c: Push): void {
  const wide = op >= WIDE;
  const type = wide ? 'i64' : 'i32';
  const operation = wide ? op - WIDE : op;
  const push = (value: Push): void => {
    value();
    if (!wide) code.op('i32.wrap_i64');
  };
  const comparison = COMPARISONS[operation];
  if (comparison !== undefined) {
    push(a);
    push(b);
    code.op(`${type}.${comparison}`).op('i64.extend_i32_u');
    return;
  }
  const simple = SIMPLE[operation];
  push(a);
  if (operation === Opcode.MAD) {
    push(b);
    code.op(`${type}.mul`);
    push(c);
    code.op(`${type}.add`);
  } else {
    push(b);
    if (simple !== undefined) code.op(`${type}.${simple}`);
    else emitOfTwo(code, operation, type);
  }
  if (!wide) code.op('i64.extend_i32_s');
}

/** DIV, MOD, MIN and MAX of the two values on the stack, which they need more than once. */
function emitOfTwo(code: FunctionBuilder, operation: number, type: 'i32' | 'i64'): void {
  const [left, right, guarded] = [code.local(type), code.local(type), code.local(type)];
  code.set(right).set(left);
  const constant = (value: number): FunctionBuilder => (type === 'i64' ? code.i64(value) : code.i32(value));
  if (operation === Opcode.MIN || operation === Opcode.MAX) {
    code.get(left).get(right).get(left).get(right).op(`${type}.${operation === Opcode.MIN ? 'lt_s' : 'gt_s'}`).op('select');
  } else {
    // Divide by 1 instead of 0 or -1, where WebAssembly would trap; then put in the values of those two cases.
    constant(1).get(right).get(right);
    constant(1);
    code.op(`${type}.add`);
    constant(2);
    code.op(`${type}.lt_u`).op('select').set(guarded);
    const division = operation === Opcode.DIV;
    code.get(left).get(guarded).op(`${type}.${division ? 'div_s' : 'rem_s'}`);
    if (division) {
      constant(0);
      code.get(left).op(`${type}.sub`).get(right);
      constant(-1);
      code.op(`${type}.ne`).op('select');
      constant(0);
      code.get(right);
      constant(0);
      code.op(`${type}.ne`).op('select');
    }
  }
  for (const local of [left, right, guarded]) code.release(local);
}

/** Pushes REQUANTIZE's result: `saturate32((a32 · b32 + (s > 0 ? 2^(s-1) : 0)) >> s)` with `s = c mod 64`. */
export function emitRequantize(code: FunctionBuilder, a: Push, b: Push, c: Push): void {
  const [shift, value] = [code.local('i64'), code.local('i64')];
  c();
  code.set(shift);
  for (const factor of [a, b]) {
    factor();
    code.op('i64.extend32_s');
  }
  // (1 << s) >>> 1 is 2^(s-1), and 0 for s = 0.
  code.op('i64.mul').i64(1).get(shift).op('i64.shl').i64(1).op('i64.shr_u').op('i64.add');
  code.get(shift).op('i64.shr_s').set(value);
  emitBound(code, value, 2n ** 31n - 1n, 'i64.lt_s');
  emitBound(code, value, -(2n ** 31n), 'i64.gt_s');
  code.get(value);
  code.release(shift);
  code.release(value);
}

/** Replaces `value` by `bound` unless the comparison holds. */
function emitBound(code: FunctionBuilder, value: Local, bound: bigint, comparison: 'i64.lt_s' | 'i64.gt_s'): void {
  code.get(value).i64(bound).get(value).i64(bound).op(comparison).op('select').set(value);
}
