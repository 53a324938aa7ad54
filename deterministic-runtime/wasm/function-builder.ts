import { ByteWriter } from './byte-writer.ts';
import { ATOMIC, MEMORY, PLAIN, SIMD, SIMD_LANE, SIMD_MEMORY, SIMD_MEMORY_LANE } from './instructions.ts';
import type { AtomicInstruction, LaneInstruction, MemoryInstruction, MemoryLaneInstruction, PlainInstruction } from './instructions.ts';

export type ValueType = 'i32' | 'i64' | 'v128';

/** The value types' encodings. */
export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
const NO_VALUE = 0x40;
const SIMD_PREFIX = 0xfd;
const BULK_MEMORY_PREFIX = 0xfc;
const ATOMIC_PREFIX = 0xfe;

/** A local variable or parameter of the function that made it. */
export interface Local { readonly index: number; readonly type: ValueType }
/** A mutable global of the module that made it. */
export interface Global { readonly index: number; readonly type: ValueType }
/** A function that can be called. */
export interface FunctionReference { readonly index: number }
/** Where a branch goes: out of a block, or to the start of a loop. */
export interface Label { readonly depth: number }

export type LocalsOf<P extends readonly ValueType[]> = { readonly [K in keyof P]: Local };

/** Writes one function's code. Methods that write instructions return the builder, so that they chain in stack order. */
export class FunctionBuilder {
  readonly parameters: readonly Local[];
  #locals: ValueType[] = [];
  #free: Record<ValueType, Local[]> = { i32: [], i64: [], v128: [] };
  #code = new ByteWriter();
  #depth = 0;

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters.map((type, index) => ({ index, type }));
  }

  /** A local for the whole function. It is zero until set, unless `release` handed it back before. */
  local(type: ValueType): Local {
    const reused = this.#free[type].pop();
    if (reused !== undefined) return reused;
    this.#locals.push(type);
    return { index: this.parameters.length + this.#locals.length - 1, type };
  }

  /** Lets `local` hand this one out again; its value is then arbitrary. */
  release(local: Local): void { this.#free[local.type].push(local); }

  /** Any instruction without immediates. */
  op(name: PlainInstruction): this {
    if (name in PLAIN) this.#code.byte(PLAIN[name as keyof typeof PLAIN]);
    else this.#code.byte(SIMD_PREFIX).unsigned(SIMD[name as keyof typeof SIMD]);
    return this;
  }

  get(local: Local): this { this.#code.byte(0x20).unsigned(local.index); return this; }
  set(local: Local): this { this.#code.byte(0x21).unsigned(local.index); return this; }
  /** Sets and leaves the value on the stack. */
  tee(local: Local): this { this.#code.byte(0x22).unsigned(local.index); return this; }
  getGlobal(global: Global): this { this.#code.byte(0x23).unsigned(global.index); return this; }
  setGlobal(global: Global): this { this.#code.byte(0x24).unsigned(global.index); return this; }

  /** An i32 constant; values up to 2^32-1 stand for their low 32 bits. */
  i32(value: number): this { this.#code.byte(0x41).signed(value | 0); return this; }
  /** An i64 constant. */
  i64(value: number | bigint): this { this.#code.byte(0x42).signed(BigInt.asIntN(64, BigInt(value))); return this; }
  /** A v128 constant, from 16 bytes. */
  v128(bytes: Uint8Array): this {
    if (bytes.length !== 16) throw new RangeError(`a v128 constant has 16 bytes, not ${bytes.length}`);
    this.#code.byte(SIMD_PREFIX).unsigned(12).bytes(bytes);
    return this;
  }
  /** A v128 constant of four i32 lanes. */
  i32x4(lane0: number, lane1: number, lane2: number, lane3: number): this {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    [lane0, lane1, lane2, lane3].forEach((lane, index) => view.setInt32(index * 4, lane | 0, true));
    return this.v128(bytes);
  }

  /** A load or store with a static offset; `alignment` is the base-2 logarithm of what is promised, 0 by default, and only a hint. */
  memory(name: MemoryInstruction, offset = 0, alignment = 0): this {
    if (name in MEMORY) this.#code.byte(MEMORY[name as keyof typeof MEMORY][0]);
    else this.#code.byte(SIMD_PREFIX).unsigned(SIMD_MEMORY[name as keyof typeof SIMD_MEMORY][0]);
    this.#code.unsigned(alignment).unsigned(offset);
    return this;
  }
  /** A load or store of one lane of a v128. */
  memoryLane(name: MemoryLaneInstruction, lane: number, offset = 0): this {
    this.#code.byte(SIMD_PREFIX).unsigned(SIMD_MEMORY_LANE[name][0]).unsigned(0).unsigned(offset).byte(lane);
    return this;
  }
  /** An atomic access to shared memory. */
  atomic(name: AtomicInstruction, offset = 0): this {
    const [opcode, alignment] = ATOMIC[name];
    this.#code.byte(ATOMIC_PREFIX).unsigned(opcode).unsigned(alignment).unsigned(offset);
    return this;
  }
  /** `memory.fill`: takes an address, a byte and a length from the stack. */
  fill(): this { this.#code.byte(BULK_MEMORY_PREFIX).unsigned(11).byte(0); return this; }
  /** Extracts or replaces a lane. */
  lane(name: LaneInstruction, lane: number): this { this.#code.byte(SIMD_PREFIX).unsigned(SIMD_LANE[name]).byte(lane); return this; }
  /** `i8x16.shuffle`: byte `i` of the result is byte `bytes[i]` of the two operands' 32 bytes. */
  shuffle(bytes: ArrayLike<number>): this {
    if (bytes.length !== 16) throw new RangeError(`a shuffle names 16 bytes, not ${bytes.length}`);
    this.#code.byte(SIMD_PREFIX).unsigned(13).bytes(Uint8Array.from(bytes));
    return this;
  }

  /** A block: branching to the label leaves it. */
  block(body: (label: Label) => void, result?: ValueType): this { return this.#structured(0x02, body, result); }
  /** A loop: branching to the label starts it again; falling off its end leaves it. */
  loop(body: (label: Label) => void, result?: ValueType): this { return this.#structured(0x03, body, result); }
  /** Takes an i32 from the stack. */
  if(whenTrue: (label: Label) => void, whenFalse?: (label: Label) => void, result?: ValueType): this {
    this.#code.byte(0x04).byte(result === undefined ? NO_VALUE : VALUE_TYPE[result]);
    this.#depth += 1;
    whenTrue({ depth: this.#depth });
    if (whenFalse !== undefined) {
      this.#code.byte(0x05);
      whenFalse({ depth: this.#depth });
    }
    this.#depth -= 1;
    this.#code.byte(0x0b);
    return this;
  }
  branch(label: Label): this { this.#code.byte(0x0c).unsigned(this.#depth - label.depth); return this; }
  /** Takes an i32 from the stack. */
  branchIf(label: Label): this { this.#code.byte(0x0d).unsigned(this.#depth - label.depth); return this; }
  /** Takes an i32 from the stack and branches to `labels[value]`, or to `otherwise` (compared unsigned). */
  branchTable(labels: readonly Label[], otherwise: Label): this {
    this.#code.byte(0x0e).unsigned(labels.length);
    for (const label of [...labels, otherwise]) this.#code.unsigned(this.#depth - label.depth);
    return this;
  }
  call(callee: FunctionReference): this { this.#code.byte(0x10).unsigned(callee.index); return this; }

  #structured(opcode: number, body: (label: Label) => void, result?: ValueType): this {
    this.#code.byte(opcode).byte(result === undefined ? NO_VALUE : VALUE_TYPE[result]);
    this.#depth += 1;
    body({ depth: this.#depth });
    this.#depth -= 1;
    this.#code.byte(0x0b);
    return this;
  }

  /** The function's locals and code, as the code section holds them. */
  encode(): Uint8Array<ArrayBuffer> {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    const writer = new ByteWriter().unsigned(runs.length);
    for (const { type, count } of runs) writer.unsigned(count).byte(VALUE_TYPE[type]);
    return writer.bytes(this.#code.finish()).byte(0x0b).finish();
  }
}
