import { LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';

const INFIX: Readonly<Record<number, string>> = {
  [Opcode.ADD]: '+', [Opcode.SUB]: '-', [Opcode.MUL]: '*', [Opcode.DIV]: '/', [Opcode.MOD]: '%',
  [Opcode.SHL]: '<<', [Opcode.SHR]: '>>', [Opcode.SHRU]: '>>>',
  [Opcode.AND]: '&', [Opcode.OR]: '|', [Opcode.XOR]: '^',
  [Opcode.LT]: '<', [Opcode.LE]: '<=', [Opcode.EQ]: '==',
};
const FUNCTIONS: Readonly<Record<number, string>> = { [Opcode.MIN]: 'min', [Opcode.MAX]: 'max' };
const COORDINATES: Readonly<Record<number, string>> = { [Source.ITERATION]: 'iteration', [Source.ROW]: 'row', [Source.COLUMN]: 'column', [Source.LANES]: 'lanes' };

/** An operand's name in the text; by default its number. */
export type OperandName = (operand: number) => string;

/**
 * An instruction in readable form, e.g. `r2 = requantize(r2, r3, 31)`. Scalars are `r0` to `r15`, vectors `v0` to `v3`, counters
 * `i0` to `i3`; 64-bit arithmetic is marked.
 */
export function disassemble({ op, d, a, b, x }: Instruction, operandName: OperandName = (operand) => `operand ${operand}`): string {
  const target = `r${d % SCALAR_REGISTERS}`;
  const vector = (register: number): string => `v${register % VECTOR_REGISTERS}`;
  const [left, right] = [source(a, x | 0), source(b, x | 0)];
  const three = (): string[] => [a, b, x & 0xff].map((number) => source(number, x >> 8));
  const iteration = b === Source.ITERATION ? ', this iteration' : b === Source.ZERO ? '' : `, iteration ${right}`;
  const operand = (): string => `${operandName(x & 0xff)}${iteration}`;
  switch (op) {
    case Opcode.SELECT: {
      const [condition, whenTrue, whenFalse] = three();
      return `${target} = ${condition} ? ${whenTrue} : ${whenFalse}`;
    }
    case Opcode.REQUANTIZE: return `${target} = requantize(${three().join(', ')})`;
    case Opcode.LOAD8: return `${target} = byte ${left} of ${operand()}`;
    case Opcode.LOAD32: return `${target} = int32 ${left} of ${operand()}`;
    case Opcode.LOADWORD: return `${vector(d)} = word ${left} of ${operand()}`;
    case Opcode.DOT: return `${target} = ${target} + dot(${vector(a)}, ${vector(b)})`;
    case Opcode.PUT8: return `${vector(d)}.byte[${left}] = ${right}`;
    case Opcode.PUT32: return `${vector(d)}.int32[${left}] = ${right}`;
    case Opcode.LOOP: return `loop i${d % LOOP_COUNTERS} to ${x & 1023}, ${loopBound(a, b, x)} rounds`;
    case Opcode.STORE: return `store ${vector(a)}`;
    default: return describeArithmetic(op, target, left, right, three);
  }
}

function describeArithmetic(op: number, target: string, left: string, right: string, three: () => string[]): string {
  const wide = op >= WIDE;
  const operation = wide ? op - WIDE : op;
  const width = wide ? ' (64 bits)' : '';
  if (operation === Opcode.MAD) {
    const [factor, other, addend] = three();
    return `${target} = ${factor} * ${other} + ${addend}${width}`;
  }
  if (INFIX[operation] !== undefined) return `${target} = ${left} ${INFIX[operation]} ${right}${width}`;
  if (FUNCTIONS[operation] !== undefined) return `${target} = ${FUNCTIONS[operation]}(${left}, ${right})${width}`;
  return op === Opcode.HALT ? 'halt' : `halt (opcode 0x${op.toString(16).padStart(2, '0')})`;
}

function source(number: number, immediate: number): string {
  if (number < SCALAR_REGISTERS) return `r${number}`;
  if (number < Source.COUNTER + LOOP_COUNTERS) return `i${number - Source.COUNTER}`;
  if (number === Source.IMMEDIATE) return String(immediate);
  return COORDINATES[number] ?? '0';
}

function loopBound(a: number, b: number, x: number): string {
  if (b === 1) return 'lanes';
  const base = x >>> 10;
  return a === 0 ? String(base) : `${base} + ${a} * iteration`;
}
