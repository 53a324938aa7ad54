import { Opcode, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';

const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;

/** A 64-bit value's low 32 bits, signed. */
export const low32 = (value: bigint): bigint => BigInt.asIntN(32, value);

/**
 * The arithmetic opcodes, ADD to MAD in both widths, by their definition: operands cut to the width, the result wrapped
 * to it and sign-extended. `a`, `b`, `c` are 64-bit signed values. Undefined when `op` is none of them.
 */
export function arithmetic(op: number, a: bigint, b: bigint, c: bigint): bigint | undefined {
  const wide = op >= Opcode.ADD + WIDE;
  const operation = wide ? op - WIDE : op;
  if (operation < Opcode.ADD || operation > Opcode.MAD) return undefined;
  const width = wide ? 64 : 32;
  const [x, y, z] = [BigInt.asIntN(width, a), BigInt.asIntN(width, b), BigInt.asIntN(width, c)];
  return BigInt.asIntN(width, exact(operation, width, x, y, z));
}

/** The result before it is wrapped. */
function exact(operation: number, width: number, a: bigint, b: bigint, c: bigint): bigint {
  const shift = BigInt.asUintN(width === 64 ? 6 : 5, b);
  switch (operation) {
    case Opcode.ADD: return a + b;
    case Opcode.SUB: return a - b;
    case Opcode.MUL: return a * b;
    case Opcode.DIV: return b === 0n ? 0n : a / b;
    case Opcode.MOD: return b === 0n ? 0n : a % b;
    case Opcode.SHL: return a << shift;
    case Opcode.SHR: return a >> shift;
    case Opcode.SHRU: return BigInt.asUintN(width, a) >> shift;
    case Opcode.AND: return a & b;
    case Opcode.OR: return a | b;
    case Opcode.XOR: return a ^ b;
    case Opcode.MIN: return a < b ? a : b;
    case Opcode.MAX: return a > b ? a : b;
    case Opcode.LT: return a < b ? 1n : 0n;
    case Opcode.LE: return a <= b ? 1n : 0n;
    case Opcode.EQ: return a === b ? 1n : 0n;
    default: return a * b + c;
  }
}

/**
 * `saturate32((a32 · b32 + (s > 0 ? 2^(s-1) : 0)) >> s)` with `s = c mod 64`, the sum wrapping modulo 2^64: one
 * rounding, as TensorFlow Lite's and onnxruntime's kernels compute it.
 */
export function requantize(a: bigint, b: bigint, c: bigint): bigint {
  const shift = BigInt.asUintN(6, c);
  const half = shift > 0n ? 1n << (shift - 1n) : 0n;
  const value = BigInt.asIntN(64, low32(a) * low32(b) + half) >> shift;
  if (value < INT32_MIN) return INT32_MIN;
  return value > INT32_MAX ? INT32_MAX : value;
}
