import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileWordCode } from '../word-code/compile.ts';
import { canonicalKernel, parseKernel, serializeKernel } from './canonical.ts';
import type { Kernel } from './kernel.ts';
import { i32, i8, kernel } from './kernel.ts';
import { dot32, sum } from './scalar.ts';
import { bindOperator, specialize } from './specialize.ts';
import { arbitraryCase } from './testing/arbitrary-kernel.ts';

const text = (definition: Kernel): string => new TextDecoder().decode(canonicalKernel(definition));
const throughJson = (definition: Kernel): unknown => JSON.parse(JSON.stringify(serializeKernel(definition)));

const small = kernel('small', {
  operands: { x: i8, y: i32 }, parameters: ['p'], output: i32,
  element: ({ row, column, operands: { x, y }, parameters: { p } }) => sum(x.words, (k) => dot32(x.word(row, k), x.word(column, k))).add(y.at(column)).mul(p),
});

test('the bytes of a small kernel', () => {
  const tiny = kernel('tiny', { operands: { x: i8 }, output: i8, element: ({ column, operands: { x } }) => x.at(0, column).add(x.at(0, column)) });
  expect(text(tiny)).toBe(
    '{"name":"tiny","nodes":[{"kind":"constant","type":"i32","value":"0"},{"kind":"coordinate","of":"column"},' +
    '{"column":1,"iteration":null,"kind":"load","operand":"x","row":0},{"kind":"binary","left":2,"operator":"add","right":2,"type":"i32"}],' +
    '"operands":[{"name":"x","type":"i8"}],"output":"i8","parameters":[]}',
  );
});

test('sharing in the source does not matter', () => {
  const copied = structuredClone(small);
  expect(text(copied)).toBe(text(small));
});

test('a round trip gives the same kernel', () => {
  expect(parseKernel(throughJson(small))).toEqual(small);
});

test('random kernels: the same bytes, and the same code', () => {
  fc.assert(fc.property(arbitraryCase(), ({ program }) => {
    for (const section of ['prologue', 'body', 'epilogue'] as const) {
      program[section].forEach((operator, index) => {
        const definition = program.kernels[operator.kernel] as Kernel;
        const again = parseKernel(throughJson(definition));
        expect(text(again)).toBe(text(definition));
        const binding = bindOperator(program, section, index);
        expect(compileWordCode(specialize(again, binding))).toEqual(compileWordCode(specialize(definition, binding)));
      });
    }
  }), { seed: 7, numRuns: 25 });
});

describe('refuses', () => {
  const zero = { kind: 'constant', type: 'i32', value: '0' };
  const of = (nodes: unknown[], more: object = {}): unknown => ({ name: 'k', operands: [{ name: 'x', type: 'i8' }], parameters: ['p'], output: 'i32', nodes, ...more });

  test('nothing of a kernel that is well-formed', () => {
    expect(parseKernel(of([zero])).element).toEqual({ kind: 'constant', type: 'i32', value: 0n });
  });

  test.each<[string, unknown, RegExp]>([
    ['null', null, /not a kernel: the value/],
    ['a missing field', { name: 'k' }, /not a kernel: operands/],
    ['a field too many', of([zero], { extra: 1 }), /Unrecognized key/],
    ['a field too many in an expression', of([{ ...zero, extra: 1 }]), /Unrecognized key/],
    ['no expression', of([]), /nodes/],
    ['an unknown kind', of([{ kind: 'float' }]), /nodes\.0\.kind/],
    ['a number for a bigint', of([{ ...zero, value: 0 }]), /nodes\.0\.value/],
    ['a constant with a leading zero', of([{ ...zero, value: '00' }]), /nodes\.0\.value/],
    ['minus zero', of([{ ...zero, value: '-0' }]), /nodes\.0\.value/],
    ['a constant that does not fit', of([{ ...zero, value: '2147483648' }]), /does not fit i32/],
    ['a constant of twenty digits', of([{ kind: 'constant', type: 'i64', value: '10000000000000000000' }]), /nodes\.0\.value/],
    ['a forward reference', of([{ kind: 'convert', to: 'i32', value: 1 }, zero]), /refers to expression 1, which does not come before it/],
    ['a cycle', of([{ kind: 'convert', to: 'i32', value: 0 }]), /refers to expression 0/],
    ['a negative reference', of([zero, { kind: 'convert', to: 'i32', value: -1 }]), /nodes\.1\.value/],
    ['an unused expression', of([{ ...zero, value: '1' }, zero]), /not in canonical form/],
    ['a repeated expression', of([zero, zero]), /not in canonical form/],
    ['another order', of([{ ...zero, value: '1' }, zero, { kind: 'binary', operator: 'add', type: 'i32', left: 1, right: 0 }]), /not in canonical form/],
    ['an unknown operand', of([zero, { kind: 'load', operand: 'y', iteration: null, row: 0, column: 0 }]), /reads 'y'/],
    ['an unknown parameter', of([{ kind: 'parameter', name: '__proto__' }]), /uses '__proto__'/],
    ['a word as a value', of([zero, { kind: 'word', operand: 'x', iteration: null, row: 0, index: 0 }, { kind: 'convert', to: 'i32', value: 1 }]), /uses a word as a value/],
    ['a word as the element', of([zero, { kind: 'word', operand: 'x', iteration: null, row: 0, index: 0 }]), /the element is a word/],
    ['a dot product of values', of([zero, { kind: 'dot32', left: 0, right: 0 }]), /takes words/],
    ['a level of 3', of([{ kind: 'index', level: 3 }]), /nodes\.0\.level/],
    ['an index outside its reduction', of([{ kind: 'index', level: 0 }]), /outside that reduction/],
    ['an i64 element', of([{ ...zero, type: 'i64' }]), /the element is i64/],
    ['nine operands', of([zero], { operands: Array.from({ length: 9 }, (_, index) => ({ name: `x${index}`, type: 'i8' })) }), /operands/],
    ['too many expressions', of(Array.from({ length: 4097 }, () => zero)), /nodes/],
    ['too deep', of([zero, ...Array.from({ length: 1100 }, (_, index) => ({ kind: 'binary', operator: 'add', type: 'i32', left: index, right: 0 }))]), /deeper than 1024/],
  ])('%s', (_, value, message) => {
    expect(() => parseKernel(value)).toThrow(message);
  });

  test('any mutilation of a kernel is refused or read as it stands, and never breaks anything', () => {
    const values = fc.oneof(fc.integer({ min: -2, max: 30 }), fc.constantFrom(null, 'i64', 'x', 'add', '7', {}, [], 0.5));
    fc.assert(fc.property(fc.nat(), fc.nat(), values, (place, field, value) => {
      const json = throughJson(small) as { nodes: Record<string, unknown>[] };
      const node = json.nodes[place % json.nodes.length] as Record<string, unknown>;
      const keys = Object.keys(node);
      node[keys[field % keys.length] as string] = value;
      let parsed: Kernel;
      try {
        parsed = parseKernel(json);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return;
      }
      expect(JSON.parse(text(parsed))).toEqual(json);
    }), { seed: 8, numRuns: 1000 });
  });
});
