import { Opcode, Source, WIDE } from '../../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../../deterministic-runtime/word-code/instruction.ts';
import { OperandKind } from '../descriptor.ts';
import type { MachineProgram } from './memory-machine.ts';

const { ITERATION, ROW, IMMEDIATE, ZERO, COUNTER } = Source;
const instruction = (op: number, d: number, a: number, b: number = ZERO, x = 0): Instruction => ({ op, d, a, b, x });
const LANES_LOOP = 1;

/** Five, as a 32-bit integer. */
const FIVE = Uint8Array.from({ length: 32 }, (_, byte) => (byte === 0 ? 5 : 0));

/**
 * A program with every section, whose run a person can follow: the prologue copies the input's two words; iteration `t` of the
 * body adds five to what iteration `t − 1` had, in three lanes, and stops at fifteen; the epilogue writes what iteration 2 had,
 * and the input's element 33.
 */
export const SMALL_PROGRAM: MachineProgram = {
  prologue: 1, body: 2, epilogue: 1, maxIterations: 5,
  constants: [FIVE],
  operators: [
    {
      rows: 2, columns: 32, elementBytes: 1,
      operands: [{ kind: OperandKind.INPUT }],
      code: [instruction(Opcode.LOADWORD, 0, ROW), instruction(Opcode.STORE, 0, 0)],
    },
    {
      rows: 1, columns: 3, elementBytes: 4,
      operands: [{ kind: OperandKind.CONSTANT, constant: 0 }, { kind: OperandKind.BODY, index: 0 }],
      code: [
        instruction(Opcode.SUB + WIDE, 1, ITERATION, IMMEDIATE, 1),
        instruction(Opcode.LOAD32, 0, ZERO, 1, 1),
        instruction(Opcode.LOAD32, 2, ZERO, ZERO, 0),
        instruction(Opcode.ADD, 0, 0, 2),
        instruction(Opcode.PUT32, 0, COUNTER, 0),
        instruction(Opcode.LOOP, 0, 0, LANES_LOOP, 4),
        instruction(Opcode.STORE, 0, 0),
      ],
    },
    {
      rows: 1, columns: 1, elementBytes: 1,
      operands: [{ kind: OperandKind.BODY, index: 0 }],
      code: [
        instruction(Opcode.LOAD32, 0, ZERO, ITERATION, 0),
        instruction(Opcode.LE, 1, IMMEDIATE, 0, 15),
        instruction(Opcode.PUT8, 0, ZERO, 1),
        instruction(Opcode.STORE, 0, 0),
      ],
    },
    {
      rows: 1, columns: 2, elementBytes: 1,
      operands: [{ kind: OperandKind.BODY, index: 0 }, { kind: OperandKind.PROLOGUE, index: 0 }],
      code: [
        instruction(Opcode.ADD, 1, IMMEDIATE, ZERO, 2),
        instruction(Opcode.LOAD8, 0, IMMEDIATE, 1, 0),
        instruction(Opcode.PUT8, 0, ZERO, 0),
        instruction(Opcode.ADD, 2, IMMEDIATE, ZERO, 33),
        instruction(Opcode.LOAD8, 0, 2, ZERO, 1),
        instruction(Opcode.ADD, 3, IMMEDIATE, ZERO, 1),
        instruction(Opcode.PUT8, 0, 3, 0),
        instruction(Opcode.STORE, 0, 0),
      ],
    },
  ],
};

/** Two words: the bytes 1 to 64. */
export const SMALL_INPUT = Uint8Array.from({ length: 64 }, (_, byte) => byte + 1);

/** By hand: 2 · 2, then three iterations of 4 + 3 · 2 + 1 and 4, then 8. */
export const SMALL_STEPS = 57;
/** By hand: 15 from the third iteration, and the input's element 33. */
export const SMALL_OUTPUT = Uint8Array.from({ length: 32 }, (_, byte) => [15, 34][byte] ?? 0);
export const SMALL_LAST_SLOT = 11;
