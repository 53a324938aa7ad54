import { bytesToHex } from 'viem';
import { LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';
import { withFirstLanes } from '../../fraud-proof/machine/lanes.ts';
import type { MachineState } from '../../fraud-proof/machine/state.ts';
import { count } from './words.ts';

/** A register, counter or coordinate with what it holds. */
export interface NamedValue { readonly name: string; readonly value: string }

/** What an instruction read, and what it made of it. */
export interface StepValues {
  readonly reads: readonly NamedValue[];
  /** Null for an instruction that only ends the run. */
  readonly result: NamedValue | null;
}

/** Where the instruction runs: what coordinates stand for. */
export interface StepPlace {
  readonly iteration: number;
  readonly row: number;
  readonly column: number;
  /** Elements of the output in this word, and in a whole one: 32 bytes or 8 integers. */
  readonly lanes: number;
  readonly lanesPerWord: number;
}

const BYTES = 32;
const INTEGERS = 8;

/** The values that one step reads and writes, between the state before it and the state after. */
export function stepValues({ op, d, a, b, x }: Instruction, before: MachineState, after: MachineState, place: StepPlace): StepValues {
  const scalar = (register: number): NamedValue => ({ name: `r${register % SCALAR_REGISTERS}`, value: count(before.scalars[register % SCALAR_REGISTERS] as bigint) });
  const vector = (register: number, lanes: number): NamedValue => ({ name: `v${register % VECTOR_REGISTERS}`, value: wordText(before.vectors[register % VECTOR_REGISTERS] as Uint8Array, lanes) });
  const sources = (...numbers: readonly number[]): NamedValue[] => numbers.flatMap((number) => {
    if (number < SCALAR_REGISTERS) return [scalar(number)];
    if (number < Source.COUNTER + LOOP_COUNTERS) return [{ name: `i${number - Source.COUNTER}`, value: count(before.counters[number - Source.COUNTER] as number) }];
    const coordinates: Readonly<Record<number, readonly [string, number]>> = {
      [Source.ITERATION]: ['iteration', place.iteration], [Source.ROW]: ['row', place.row], [Source.COLUMN]: ['column', place.column], [Source.LANES]: ['lanes', place.lanes],
    };
    const found = coordinates[number];
    return found === undefined ? [] : [{ name: found[0], value: count(found[1]) }];
  });
  const newScalar = (): NamedValue => ({ name: `r${d % SCALAR_REGISTERS}`, value: count(after.scalars[d % SCALAR_REGISTERS] as bigint) });
  const newVector = (lanes: number): NamedValue => ({ name: `v${d % VECTOR_REGISTERS}`, value: wordText(after.vectors[d % VECTOR_REGISTERS] as Uint8Array, lanes) });
  const values = (reads: readonly NamedValue[], result: NamedValue | null): StepValues => ({ reads: reads.filter(({ name }, index) => reads.findIndex((other) => other.name === name) === index), result });
  switch (op) {
    case Opcode.HALT: return values([], null);
    case Opcode.LOAD8:
    case Opcode.LOAD32: return values(sources(a, b), newScalar());
    case Opcode.LOADWORD: return values(sources(a, b), newVector(BYTES));
    case Opcode.DOT: return values([scalar(d), vector(a, BYTES), vector(b, BYTES)], newScalar());
    case Opcode.PUT8: return values([vector(d, BYTES), ...sources(a, b)], newVector(BYTES));
    case Opcode.PUT32: return values([vector(d, INTEGERS), ...sources(a, b)], newVector(INTEGERS));
    case Opcode.LOOP: return values(sources(Source.COUNTER + (d % LOOP_COUNTERS)), { name: 'the next instruction', value: count(after.pc) });
    case Opcode.STORE: {
      const word = withFirstLanes(before.vectors[a % VECTOR_REGISTERS] as Uint8Array, place.lanes, place.lanesPerWord);
      return values([vector(a, place.lanesPerWord)], { name: 'the stored word', value: wordText(word, place.lanesPerWord, place.lanes) });
    }
    default: {
      const three = op === Opcode.SELECT || op === Opcode.REQUANTIZE || op === Opcode.MAD || op === Opcode.MAD + WIDE;
      return values(three ? sources(a, b, x & 0xff) : sources(a, b), newScalar());
    }
  }
}

/** A word's elements: 32 signed bytes or 8 signed integers, or the first `shown` of them; zeros all through in short. */
function wordText(word: Uint8Array, lanes: number, shown = lanes): string {
  const view = new DataView(word.buffer, word.byteOffset, word.byteLength);
  if (word.every((byte) => byte === 0)) return '0 everywhere';
  if (lanes !== BYTES && lanes !== INTEGERS) return bytesToHex(word);
  return `[${Array.from({ length: shown }, (_, lane) => (lanes === BYTES ? view.getInt8(lane) : view.getInt32(4 * lane, true))).join(', ')}]`;
}
