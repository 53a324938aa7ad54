/** Opcodes of the word machine (docs/word-machine.md). Those from ADD to MAD have a 64-bit form at `+ WIDE`. */
export const Opcode = {
  HALT: 0x00,
  ADD: 0x01, SUB: 0x02, MUL: 0x03, DIV: 0x04, MOD: 0x05, SHL: 0x06, SHR: 0x07, SHRU: 0x08,
  AND: 0x09, OR: 0x0a, XOR: 0x0b, MIN: 0x0c, MAX: 0x0d, LT: 0x0e, LE: 0x0f, EQ: 0x10, MAD: 0x11,
  SELECT: 0x12, REQUANTIZE: 0x13,
  LOAD8: 0x14, LOAD32: 0x15, LOADWORD: 0x16, DOT: 0x17, PUT8: 0x18, PUT32: 0x19,
  LOOP: 0x1a, STORE: 0x1b,
} as const;

/** Added to the opcodes ADD … MAD for their 64-bit form. */
export const WIDE = 0x20;

/** Source numbers past the sixteen scalar registers. */
export const Source = {
  COUNTER: 16, ITERATION: 20, ROW: 21, COLUMN: 22, LANES: 23, IMMEDIATE: 24, ZERO: 31,
} as const;

export const SCALAR_REGISTERS = 16;
export const VECTOR_REGISTERS = 4;
export const LOOP_COUNTERS = 4;

/** One instruction: `op | d | a | b | x`, 8 bytes; `x` is an unsigned 32-bit field. */
export interface Instruction {
  readonly op: number;
  readonly d: number;
  readonly a: number;
  readonly b: number;
  readonly x: number;
}

/** Code as its bytes: 8 an instruction, big-endian, padded with zeros to whole words. */
export function encodeCode(code: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(code.length / 4) * 32);
  const view = new DataView(bytes.buffer);
  code.forEach(({ op, d, a, b, x }, index) => {
    bytes.set([op, d, a, b], index * 8);
    view.setUint32(index * 8 + 4, x);
  });
  return bytes;
}

/** Reads `length` instructions back. @throws RangeError when the bytes hold fewer. */
export function decodeCode(bytes: Uint8Array, length: number): Instruction[] {
  if (bytes.length < length * 8) throw new RangeError(`${length} instructions need ${length * 8} bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length }, (_, index) => ({
    op: view.getUint8(index * 8),
    d: view.getUint8(index * 8 + 1),
    a: view.getUint8(index * 8 + 2),
    b: view.getUint8(index * 8 + 3),
    x: view.getUint32(index * 8 + 4),
  }));
}
