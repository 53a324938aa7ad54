import { describe, expect, test } from 'vitest';
import { activated, gated } from './gated.ts';
import { activationTable } from './language-model/tables.ts';
import { ProgramBuilder } from './program-builder.ts';
import { runCompiled } from './testing/run-compiled.ts';

const ONE = 65536;
const FUNCTIONS = {
  llama: (x: number) => x / (1 + Math.exp(-x)),
  gpt2: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
} as const;

/** The table as the program has it. */
function tableOf(family: keyof typeof FUNCTIONS): { rows: number; columns: number; data: Int32Array } {
  const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} });
  const { shape } = activationTable(builder, family);
  builder.append('none', { kernel: activated, output: { element: 'i32', rows: 1, columns: 1 }, operands: [builder.integers(1, 1, Int32Array.of(0)), builder.integers(1, 1, Int32Array.of(0))] });
  return { rows: 1, columns: shape.columns, data: new Int32Array(builder.build().constants[0]!.slice().buffer, 0, shape.columns) };
}

describe('docs/numerics.md', () => {
  test.each([['llama', 1.5e-5, 'SiLU'], ['gpt2', 2.5e-5, 'GELU']] as const)('%s: error at most %f (%s), on every 16.16 number from −20 to 20 and at the ends', async (family, bound, _name) => {
    const numbers = Int32Array.from({ length: 40 * ONE + 4 }, (_, index) => (index < 40 * ONE ? index - 20 * ONE : [2 ** 31 - 1, -(2 ** 31), 1000 * ONE, -1000 * ONE][index - 40 * ONE]!));
    const values = await runCompiled(activated, [1, numbers.length], [{ rows: 1, columns: numbers.length, data: numbers }, tableOf(family)]);
    const exact = FUNCTIONS[family];
    let worst = 0;
    numbers.forEach((number, index) => {
      if (Math.abs(number) <= 20 * ONE) worst = Math.max(worst, Math.abs(values[index]! / ONE - exact(number / ONE)));
    });
    expect(worst).toBeLessThan(bound);
    expect(worst).toBeGreaterThan(bound / 3);
    // Beyond the table the factor is that of its end, 1.2e-7 from SiLU's limit.
    [...values.slice(-4)].forEach((value, index) => {
      const number = numbers[40 * ONE + index]! / ONE;
      expect(Math.abs(value / ONE - exact(number))).toBeLessThan(2 ** -16 + Math.abs(number) * 1.2e-7);
    });
  });
});

test('the gate is multiplied with the other half, and saturates', async () => {
  const gates = [0, ONE, -ONE, 3 * ONE, 30 * ONE, 30_000 * ONE, 30_000 * ONE, -2 * ONE];
  const ups = [ONE, 2 * ONE, 2 * ONE, -5 * ONE, ONE / 2, 30_000 * ONE, -30_000 * ONE, 0];
  const values = await runCompiled(gated, [1, gates.length], [{ rows: 1, columns: 2 * gates.length, data: [...gates, ...ups] }, tableOf('llama')]);
  values.forEach((value, index) => {
    const exact = FUNCTIONS.llama(gates[index]! / ONE) * (ups[index]! / ONE) * ONE;
    expect(Math.abs(value - Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, exact)))).toBeLessThan(1 + 1.1e-5 * Math.abs(ups[index]!));
  });
});
