import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyBinary } from './arithmetic.ts';
import type { BinaryOperator, ReductionOperator, ScalarType } from './expression.ts';
import { binaryInterval, interval, reductionInterval } from './interval.ts';

const OPERATORS: BinaryOperator[] = ['add', 'sub', 'mul', 'div', 'mod', 'shl', 'shr', 'shru', 'and', 'or', 'xor', 'min', 'max', 'lt', 'le', 'eq'];

/** An interval of a type, and a value in it. */
const within = (type: ScalarType): fc.Arbitrary<{ readonly least: bigint; readonly greatest: bigint; readonly value: bigint }> => {
  const bits = type === 'i32' ? 32 : 64;
  const [min, max] = [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n];
  const value = fc.oneof(fc.bigInt({ min: -20n, max: 20n }), fc.bigInt({ min: -70000n, max: 70000n }), fc.bigInt({ min, max }), fc.constantFrom(min, max, min + 1n));
  return fc.tuple(value, value, value).map((values) => {
    const [least, middle, greatest] = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) as [bigint, bigint, bigint];
    return { least, greatest, value: middle };
  });
};

for (const type of ['i32', 'i64'] as const) {
  test.each(OPERATORS)(`${type} %s stays in its interval`, (operator) => {
    fc.assert(fc.property(within(type), within(type), (a, b) => {
      const { least, greatest } = binaryInterval(operator, type, interval(a.least, a.greatest), interval(b.least, b.greatest));
      const value = applyBinary(operator, type, a.value, b.value);
      expect(value >= least && value <= greatest, `${value} in [${least}, ${greatest}]`).toBe(true);
    }), { seed: 3, numRuns: 1000 });
  });
}

test('exact where exactness removes checks', () => {
  expect(binaryInterval('add', 'i32', interval(0n, 9n), interval(-1n, 1n))).toEqual({ least: -1n, greatest: 10n });
  expect(binaryInterval('mul', 'i32', interval(-3n, 4n), interval(5n, 5n))).toEqual({ least: -15n, greatest: 20n });
  expect(binaryInterval('div', 'i32', interval(0n, 99n), interval(10n, 10n))).toEqual({ least: 0n, greatest: 9n });
  expect(binaryInterval('mod', 'i32', interval(0n, 99n), interval(10n, 10n))).toEqual({ least: 0n, greatest: 9n });
  expect(binaryInterval('and', 'i32', interval(-5n, 99n), interval(255n, 255n))).toEqual({ least: 0n, greatest: 255n });
  expect(binaryInterval('lt', 'i32', interval(0n, 9n), interval(10n, 12n))).toEqual({ least: 1n, greatest: 1n });
  expect(binaryInterval('add', 'i32', interval(0n, 2n ** 31n - 1n), interval(0n, 1n)).least).toBe(-(2n ** 31n));
});

test.each(['add', 'min', 'max', 'and', 'or', 'xor'] as ReductionOperator[])('a reduction by %s stays in its interval', (operator) => {
  const body = fc.tuple(within('i32'), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }));
  fc.assert(fc.property(body, ([{ least, greatest }, places]) => {
    const values = places.map((place) => least + (BigInt(Math.floor(place * 1000)) * (greatest - least)) / 1000n);
    const total = values.reduce((a, b) => applyBinary(operator, 'i32', a, b));
    const result = reductionInterval(operator, 'i32', interval(least, greatest), interval(1n, 6n));
    expect(total >= result.least && total <= result.greatest, `${total} in [${result.least}, ${result.greatest}]`).toBe(true);
  }), { seed: 4, numRuns: 1000 });
});
