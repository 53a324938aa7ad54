import { concat, hexToBigInt, keccak256, numberToHex, stringToBytes, toHex } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { i32, i8, kernel } from '../language/kernel.ts';
import { COMPILER_VERSION, canonicalKernel } from '../language/canonical.ts';
import { sum } from '../language/scalar.ts';
import { encodeCode } from '../word-code/instruction.ts';
import { canonicalJson } from './canonical-json.ts';
import { encodeModel } from './encoding.ts';
import type { Model } from './program.ts';
import { bodyStepsFormula, OperatorSteps } from './steps.ts';

const double = kernel('double', { operands: { x: i8 }, output: i32, element: ({ column, operands: { x } }) => x.at(column).mul(2) });
const running = kernel('running', {
  operands: { before: i32, start: i32, table: i8, noise: i8 },
  output: i32,
  element: ({ column, iteration, operands: { before, start, table, noise } }) =>
    sum(iteration.mul(2).add(3), (k) => before.at(0, column, { iteration: iteration.sub(1) }).add(table.at(k))).add(start.at(column)).add(noise.at(0)),
});

function twoPartModel(): Model {
  return {
    program: {
      name: 'two-part',
      signature: 'run(int8[9])->(int32[1])',
      input: { element: 'i8', rows: 1, columns: 9 },
      kernels: [double, running],
      constants: [{ element: 'i8', rows: 2, columns: 33 }],
      prologue: [{ name: 'start', kernel: 0, parameters: {}, output: { element: 'i32', rows: 1, columns: 9 }, operands: [{ kind: 'input' }] }],
      body: [{
        name: 'running', kernel: 1, parameters: {}, output: { element: 'i32', rows: 1, columns: 1 },
        operands: [{ kind: 'body', operator: 0 }, { kind: 'prologue', operator: 0 }, { kind: 'constant', constant: 0 }, { kind: 'seed' }],
      }],
      epilogue: [{ name: 'end', kernel: 0, parameters: {}, output: { element: 'i32', rows: 1, columns: 3 }, operands: [{ kind: 'input' }] }],
      maxIterations: 7,
      metadata: { b: [1, 'ü'], a: { z: null, y: true } },
    },
    constants: [new Uint8Array(128).map((_, index) => (index % 64 < 33 ? index : 0))],
  };
}

const word = (value: bigint | number): Hex => numberToHex(value, { size: 32 });
const ZERO = word(0);
const H = (left: Hex, right: Hex): Hex => (left === ZERO && right === ZERO ? ZERO : keccak256(concat([left, right])));
const words = (bytes: Uint8Array): Hex[] => Array.from({ length: bytes.length / 32 }, (_, index) => toHex(bytes.subarray(index * 32, index * 32 + 32)));
function root(leaves: readonly Hex[]): Hex {
  if (leaves.length <= 1) return leaves[0] ?? ZERO;
  return root(Array.from({ length: Math.ceil(leaves.length / 2) }, (_, index) => H(leaves[2 * index]!, leaves[2 * index + 1] ?? ZERO)));
}
/** As the document's bit ranges: [offset, value] pairs. */
const pack = (...fields: (readonly [number, number])[]): Hex => word(fields.reduce((packed, [offset, value]) => packed | (BigInt(value) << BigInt(offset)), 0n));

describe('encoding', () => {
  test('header, descriptors and model id, word by word', () => {
    const model = twoPartModel();
    const encoded = encodeModel(model);
    const constant = keccak256(concat([keccak256(stringToBytes('assay.tensor.v1')), root(words(model.constants[0]!)), word(4)]));
    expect(encoded.constants.map((each) => toHex(each))).toEqual([constant]);
    const codes = encoded.operators.map(({ code }) => root(words(encodeCode(code))));
    const lengths = encoded.operators.map(({ code }) => code.length);
    const descriptors = [
      [codes[0]!, pack([0, 9], [32, 1], [64, 4], [72, 1], [80, lengths[0]!]), pack([24, 2]), ZERO],
      [
        codes[1]!, pack([0, 1], [32, 1], [64, 4], [72, 4], [80, lengths[1]!]),
        pack([24, 4], [0, 0], [32 + 24, 3], [32, 0], [64 + 24, 1], [64, 0], [96 + 24, 6]), ZERO, ZERO, constant, ZERO,
      ],
      [codes[2]!, pack([0, 3], [32, 1], [64, 4], [72, 1], [80, lengths[2]!]), pack([24, 2]), ZERO],
    ];
    encoded.operators.forEach(({ descriptor }, index) => expect(words(descriptor)).toEqual(descriptors[index]));
    const header = [
      keccak256(stringToBytes('assay.program.v1')),
      pack([0, 1], [32, 1], [64, 1], [96, 7]),
      root(descriptors.map((descriptor) => keccak256(concat(descriptor)))),
      keccak256(concat([keccak256(stringToBytes(COMPILER_VERSION)), ...[double, running].map((each) => keccak256(canonicalKernel(each)))])),
      pack([0, 9], [32, 1], [64, 1]),
      word(encoded.steps),
      keccak256(stringToBytes('run(int8[9])->(int32[1])')),
      keccak256(stringToBytes('{"a":{"y":true,"z":null},"b":[1,"ü"]}')),
    ];
    expect(words(encoded.header)).toEqual(header);
    expect(toHex(encoded.modelId)).toBe(keccak256(concat(header)));
    expect(encodeModel(model)).toBe(encoded);
  });

  test('steps are the sum over all words of all iterations, each counted by walking its code', () => {
    const { operators, steps, header } = encodeModel(twoPartModel());
    const walk = (index: number, iteration: number, lanes: number): bigint => {
      const { code } = operators[index]!;
      const counters = [0, 0, 0, 0];
      let [pc, taken] = [0, 0n];
      while (pc < code.length) {
        const { op, d, a, b, x } = code[pc]!;
        taken += 1n;
        pc += 1;
        if (op !== 0x1a) continue;
        const next = counters[d % 4]! + 1;
        const again = next < (b === 1 ? lanes : Math.floor(x / 1024) + a * iteration);
        counters[d % 4] = again ? next : 0;
        if (again) pc = x % 1024;
      }
      return taken;
    };
    let total = walk(0, 0, 8) + walk(0, 0, 1) + walk(2, 7, 3);
    for (let iteration = 0; iteration < 7; iteration += 1) total += walk(1, iteration, 1);
    expect(steps).toBe(total);
    expect(hexToBigInt(words(header)[5]!)).toBe(total);
    expect(walk(1, 6, 1)).toBeGreaterThan(walk(1, 0, 1));
  });

  test('the formula for a body agrees with adding up its iterations, for nested loops that grow', () => {
    const loop = (target: number, counter: number, base: number, perIteration: number, b = 0) => ({ op: 0x1a, d: counter, a: perIteration, b, x: base * 1024 + target });
    const add = { op: 1, d: 0, a: 0, b: 0, x: 0 };
    const code = [add, add, loop(1, 0, 2, 3), loop(0, 1, 1, 5), add, loop(0, 2, 4, 1), loop(0, 3, 1, 2), { op: 0x1b, d: 0, a: 0, b: 0, x: 0 }];
    const operators = [new OperatorSteps(code, { element: 'i8', rows: 3, columns: 70 }), new OperatorSteps([add, loop(0, 0, 1, 0, 1), code.at(-1)!], { element: 'i32', rows: 2, columns: 9 })];
    const formula = bodyStepsFormula(operators);
    let total = 0n;
    for (let iteration = 0; iteration < 40; iteration += 1) {
      expect(formula(iteration)).toBe(total);
      total += operators[0]!.total(iteration) + operators[1]!.total(iteration);
    }
    expect(operators[1]!.total(0)).toBe(2n * (17n + 3n));
  });

  test('canonical JSON has one form for a value, and refuses what is none', () => {
    expect(canonicalJson({ b: 1, a: [true, 'x"', -0] })).toBe('{"a":[true,"x\\"",0],"b":1}');
    expect(() => canonicalJson({ a: undefined })).toThrow('undefined is not a JSON value');
    expect(() => canonicalJson(Number.NaN)).toThrow('NaN');
    let deep: unknown = 0;
    for (let depth = 0; depth < 40; depth += 1) deep = [deep];
    expect(() => canonicalJson(deep)).toThrow('deeper than 32');
  });
});
