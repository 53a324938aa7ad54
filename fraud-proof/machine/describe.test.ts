import { expect, test } from 'vitest';
import { Opcode, Source, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import { disassemble } from './describe.ts';
import { DEFINED_OPCODES } from './testing/random-scenario.ts';

const { IMMEDIATE, ZERO, ITERATION, ROW, COLUMN, LANES, COUNTER } = Source;

test.each([
  [{ op: Opcode.REQUANTIZE, d: 2, a: 2, b: 3, x: 31 * 256 + IMMEDIATE }, 'r2 = requantize(r2, r3, 31)'],
  [{ op: Opcode.SELECT, d: 17, a: 1, b: COLUMN, x: ZERO }, 'r1 = r1 ? column : 0'],
  [{ op: Opcode.ADD, d: 0, a: 15, b: IMMEDIATE, x: 0xffff_ffff }, 'r0 = r15 + -1'],
  [{ op: Opcode.ADD + WIDE, d: 0, a: COUNTER, b: ROW, x: 0 }, 'r0 = i0 + row (64 bits)'],
  [{ op: Opcode.SHRU, d: 0, a: 1, b: IMMEDIATE, x: 7 }, 'r0 = r1 >>> 7'],
  [{ op: Opcode.MAX, d: 0, a: 1, b: 2, x: 0 }, 'r0 = max(r1, r2)'],
  [{ op: Opcode.MAD + WIDE, d: 0, a: 1, b: IMMEDIATE, x: 0xffff_fe03 }, 'r0 = r1 * -2 + r3 (64 bits)'],
  [{ op: Opcode.LOAD8, d: 0, a: 1, b: ZERO, x: 0 }, 'r0 = byte r1 of weights'],
  [{ op: Opcode.LOAD32, d: 0, a: IMMEDIATE, b: ITERATION, x: 1 }, 'r0 = int32 1 of cache, this iteration'],
  [{ op: Opcode.LOADWORD, d: 5, a: LANES, b: 4, x: 1 }, 'v1 = word lanes of cache, iteration r4'],
  [{ op: Opcode.DOT, d: 3, a: 0, b: 1, x: 0 }, 'r3 = r3 + dot(v0, v1)'],
  [{ op: Opcode.PUT8, d: 2, a: COUNTER + 1, b: 7, x: 0 }, 'v2.byte[i1] = r7'],
  [{ op: Opcode.PUT32, d: 2, a: 0, b: 255, x: 0 }, 'v2.int32[r0] = 0'],
  [{ op: Opcode.LOOP, d: 1, a: 0, b: 1, x: 3 }, 'loop i1 to 3, lanes rounds'],
  [{ op: Opcode.LOOP, d: 0, a: 2, b: 0, x: 5 * 1024 + 3 }, 'loop i0 to 3, 5 + 2 * iteration rounds'],
  [{ op: Opcode.STORE, d: 0, a: 3, b: 0, x: 0 }, 'store v3'],
  [{ op: Opcode.HALT, d: 0, a: 0, b: 0, x: 0 }, 'halt'],
  [{ op: 0x1c, d: 0, a: 0, b: 0, x: 0 }, 'halt (opcode 0x1c)'],
  [{ op: 0x33, d: 0, a: 0, b: 0, x: 0 }, 'halt (opcode 0x33)'],
])('%o', (instruction, text) => {
  expect(disassemble(instruction, (operand) => ['weights', 'cache'][operand] as string)).toBe(text);
});

test('every opcode reads differently, and none that is defined halts', () => {
  const texts = DEFINED_OPCODES.map((op) => disassemble({ op, d: 1, a: 2, b: 3, x: 4 }));
  expect(new Set(texts).size).toBe(DEFINED_OPCODES.length);
  expect(texts.filter((text) => text.startsWith('halt'))).toEqual([]);
});
