import { placeOf, slotCount } from '../program/program.ts';
import type { Program } from '../program/program.ts';
import type { MemoryLayout, OutputBuffer } from './memory-layout.ts';

/** One run's tensors of a section (of one iteration, for the body), by operator; copies. */
export type SectionTensors = (index: number) => Uint8Array;

/** Bytes between two tensors that are copied with them rather than apart. */
const GAP_BYTES = 64;

/** Which parts of the memory hold the tensors of a section that the next iteration overwrites: what lies beside each other is one part. */
class SectionCopy {
  readonly #parts: { readonly start: number; end: number }[] = [];
  /** By operator; those that keep every iteration have none. */
  readonly #places: ({ readonly part: number; readonly offset: number; readonly bytes: number } | undefined)[] = [];

  constructor(outputs: readonly OutputBuffer[]) {
    for (const { address, bytes, stride } of outputs) {
      if (stride > 0) {
        this.#places.push(undefined);
        continue;
      }
      let part = this.#parts.at(-1);
      if (part === undefined || address < part.end || address > part.end + GAP_BYTES) this.#parts.push(part = { start: address, end: address });
      this.#places.push({ part: this.#parts.length - 1, offset: address - part.start, bytes });
      part.end = address + bytes;
    }
  }

  copy(memory: Uint8Array): SectionTensors {
    const copies = this.#parts.map(({ start, end }) => memory.slice(start, end));
    return (index) => {
      const { part, offset, bytes } = this.#places[index]!;
      return copies[part]!.subarray(offset, offset + bytes);
    };
  }
}

/** All tensors of a run, copied a section at a time. Those that the memory keeps for every iteration are copied at last. */
export class KeptTensors {
  readonly #program: Program;
  readonly #outputs: MemoryLayout['outputs'];
  readonly #body: SectionCopy;
  readonly #iterations: SectionTensors[] = [];
  readonly #once: { prologue?: SectionTensors; epilogue?: SectionTensors } = {};

  constructor(program: Program, { outputs }: MemoryLayout) {
    this.#program = program;
    this.#outputs = outputs;
    this.#body = new SectionCopy(outputs.body);
  }

  /** Keeps what the section has just written. */
  add(section: 'prologue' | 'body' | 'epilogue', iteration: number, memory: Uint8Array): void {
    if (section === 'body') this.#iterations[iteration] = this.#body.copy(memory);
    else this.#once[section] = new SectionCopy(this.#outputs[section]).copy(memory);
  }

  /** Keeps an iteration whose tensors were copied elsewhere. */
  addIteration(iteration: number, tensors: SectionTensors): void {
    this.#iterations[iteration] = tensors;
  }

  /** All tensors by slot; undefined where nothing was written. */
  finish(iterations: number, memory: Uint8Array): (slot: number) => Uint8Array | undefined {
    const histories = this.#outputs.body.map(({ address, stride }) => (stride > 0 ? memory.slice(address, address + stride * iterations) : undefined));
    const slots = slotCount(this.#program);
    return (slot) => {
      if (slot < 0 || slot >= slots) return undefined;
      const { section, index, iteration } = placeOf(this.#program, slot);
      if (section !== 'body') return this.#once[section]?.(index);
      if (iteration >= iterations) return undefined;
      const { stride, bytes } = this.#outputs.body[index]!;
      return histories[index]?.subarray(iteration * stride, iteration * stride + bytes) ?? this.#iterations[iteration]!(index);
    };
  }
}
