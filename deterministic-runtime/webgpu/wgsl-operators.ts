import type { BinaryOperator, ReductionOperator, ScalarType } from '../language/expression.ts';

const ARITHMETIC = { add: '+', sub: '-', mul: '*' } as const;
const BITWISE = { and: '&', or: '|', xor: '^' } as const;
const COMPARISON = { lt: '<', le: '<=', eq: '==' } as const;

/** Writes a call of a library function. */
export type Call = (name: string, ...operands: string[]) => string;

/** `left operator right` as WGSL, for names or a name and a literal. */
export function combine(operator: BinaryOperator, type: ScalarType, left: string, right: string, call: Call): string {
  if (operator === 'lt' || operator === 'le' || operator === 'eq') return `select(0i, 1i, ${compare(operator, type, left, right, call)})`;
  if (operator === 'and' || operator === 'or' || operator === 'xor') return `${left} ${BITWISE[operator]} ${right}`;
  if (type === 'i64') return call(`i64_${operator}`, left, right);
  if (operator === 'min' || operator === 'max') return `${operator}(${left}, ${right})`;
  if (operator === 'add' || operator === 'sub' || operator === 'mul') return `${left} ${ARITHMETIC[operator]} ${right}`;
  return call(`i32_${operator}`, left, right);
}

function compare(operator: 'lt' | 'le' | 'eq', type: ScalarType, left: string, right: string, call: Call): string {
  if (type === 'i32') return `${left} ${COMPARISON[operator]} ${right}`;
  if (operator === 'le') return `!${call('i64_lt', right, left)}`;
  return call(`i64_${operator}`, left, right);
}

/** The value that a reduction starts from. */
export function identity(operator: ReductionOperator, type: ScalarType): bigint {
  const bits = type === 'i32' ? 31n : 63n;
  if (operator === 'min') return 2n ** bits - 1n;
  if (operator === 'max') return -(2n ** bits);
  return operator === 'and' ? -1n : 0n;
}

/** An integer as WGSL. `-2147483648i` is no literal there: the minus is an operator. */
export function literal(type: ScalarType, value: bigint): string {
  if (type === 'i64') return `vec2<u32>(${BigInt.asUintN(32, value)}u, ${BigInt.asUintN(32, value >> 32n)}u)`;
  if (value === -(2n ** 31n)) return 'i32(-2147483648)';
  return value < 0n ? `(${value}i)` : `${value}i`;
}
