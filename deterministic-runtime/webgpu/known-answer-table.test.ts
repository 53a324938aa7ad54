import { expect, test } from 'vitest';
import { applyBinary, applyRequantize } from '../language/arithmetic.ts';
import { KNOWN_ANSWERS } from './known-answer-table.ts';
import type { KnownAnswers } from './known-answer-table.ts';

const byte = (bits: bigint, lane: number): bigint => BigInt.asIntN(8, bits >> BigInt(8 * lane));

function define({ operator, type }: KnownAnswers, [a = 0n, b = 0n, c = 0n]: readonly bigint[]): bigint {
  switch (operator) {
    case 'requantize': return applyRequantize(a, b, c);
    case 'widen': return a;
    case 'dot4': return [0, 1, 2, 3].reduce((sum, lane) => sum + byte(a, lane) * byte(b, lane), 0n);
    default: return applyBinary(operator, type, a, b);
  }
}

test.each(KNOWN_ANSWERS)('$operator ($type) as the language defines it', (entry) => {
  for (const row of entry.rows) expect(define(entry, row.slice(0, -1))).toBe(row.at(-1));
});

test('every operation of both types is there', () => {
  const names = KNOWN_ANSWERS.map(({ operator, type }) => `${operator} ${type}`);
  expect(new Set(names).size).toBe(16 * 2 + 3);
  for (const { rows } of KNOWN_ANSWERS) expect(rows.length).toBeGreaterThan(2);
});
