import { describe, expect, test } from 'vitest';
import { ModuleBuilder } from '../wasm/assembler.ts';
import { Opcode, WIDE } from '../word-code/instruction.ts';
import { emitArithmetic, emitRequantize } from './arithmetic.ts';

const EDGES = [0n, 1n, -1n, 2n, -3n, 7n, 31n, 32n, 33n, 63n, 64n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 62n + 5n, 2n ** 63n - 1n, -(2n ** 63n)];

/** The table of docs/word-machine.md. */
const MEANING: Readonly<Record<string, (a: bigint, b: bigint, c: bigint, width: bigint) => bigint>> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  MUL: (a, b) => a * b,
  DIV: (a, b) => (b === 0n ? 0n : a / b),
  MOD: (a, b) => (b === 0n ? 0n : a - b * (a / b)),
  SHL: (a, b, _, width) => a << BigInt.asUintN(32, b) % width,
  SHR: (a, b, _, width) => a >> BigInt.asUintN(32, b) % width,
  SHRU: (a, b, _, width) => BigInt.asUintN(Number(width), a) >> BigInt.asUintN(32, b) % width,
  AND: (a, b) => a & b,
  OR: (a, b) => a | b,
  XOR: (a, b) => a ^ b,
  MIN: (a, b) => (a < b ? a : b),
  MAX: (a, b) => (a < b ? b : a),
  LT: (a, b) => (a < b ? 1n : 0n),
  LE: (a, b) => (a <= b ? 1n : 0n),
  EQ: (a, b) => (a === b ? 1n : 0n),
  MAD: (a, b, c) => a * b + c,
};

type Run = (a: bigint, b: bigint, c: bigint) => bigint;

function compile(emit: (code: Parameters<typeof emitRequantize>[0], pushes: [() => unknown, () => unknown, () => unknown]) => void): Run {
  const module = new ModuleBuilder();
  module.function({ export: 'run', parameters: ['i64', 'i64', 'i64'], results: ['i64'] }, (code, [a, b, c]) => {
    emit(code, [() => code.get(a), () => code.get(b), () => code.get(c)]);
  });
  return new WebAssembly.Instance(new WebAssembly.Module(module.encode())).exports['run'] as Run;
}

describe('arithmetic', () => {
  for (const [name, meaning] of Object.entries(MEANING)) {
    test.each([32, 64])(`${name}, %i bits, on edge values`, (width) => {
      const op = Opcode[name as keyof typeof Opcode] + (width === 64 ? WIDE : 0);
      const run = compile((code, pushes) => emitArithmetic(code, op, ...pushes));
      const cut = (value: bigint): bigint => BigInt.asIntN(width, value);
      for (const a of EDGES) {
        for (const b of EDGES) {
          const c = EDGES[Number(BigInt.asUintN(8, a ^ b)) % EDGES.length]!;
          expect(run(a, b, c), `${name} ${a} ${b} ${c}`).toBe(cut(meaning(cut(a), cut(b), cut(c), BigInt(width))));
        }
      }
    });
  }

  test('REQUANTIZE on edge values', () => {
    const run = compile((code, pushes) => emitRequantize(code, ...pushes));
    for (const a of EDGES) {
      for (const b of EDGES) {
        for (const c of EDGES) {
          const shift = BigInt.asUintN(6, c);
          const rounded = BigInt.asIntN(64, BigInt.asIntN(32, a) * BigInt.asIntN(32, b) + (shift > 0n ? 2n ** (shift - 1n) : 0n)) >> shift;
          const saturated = rounded > 2n ** 31n - 1n ? 2n ** 31n - 1n : rounded < -(2n ** 31n) ? -(2n ** 31n) : rounded;
          expect(run(a, b, c), `${a} ${b} ${c}`).toBe(saturated);
        }
      }
    }
  });
});
