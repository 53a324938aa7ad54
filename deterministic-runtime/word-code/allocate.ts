import { Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS } from './instruction.ts';
import type { Instruction } from './instruction.ts';
import type { VirtualBlock, VirtualCode, VirtualInstruction, VirtualLoop, VirtualSource } from './virtual-code.ts';

/** The vector register in which a word's output is put together. */
export const OUTPUT_VECTOR = 0;

interface Lifetime {
  readonly start: number;
  end: number;
}

/** Instructions in order; a loop's end is its LOOP. */
type Line = { readonly kind: 'instruction'; readonly instruction: VirtualInstruction } | { readonly kind: 'loop'; readonly loop: VirtualLoop; readonly target: number };

function linesOf(blocks: readonly VirtualBlock[], lines: Line[] = []): Line[] {
  for (const block of blocks) {
    if (block.kind === 'instruction') {
      lines.push({ kind: 'instruction', instruction: block });
      continue;
    }
    const target = lines.length;
    linesOf(block.body, lines);
    lines.push({ kind: 'loop', loop: block, target });
  }
  return lines;
}

const registersRead = ({ a, b, c, d, updates }: VirtualInstruction): number[] =>
  [a, b, ...(c === null ? [] : [c]), ...(updates && d !== null && d.kind === 'register' ? [d] : [])]
    .flatMap((source) => (source.kind === 'register' ? [source.register] : []));

/** A register that is set before a loop and read in it must survive until the loop's end. */
function lifetimesOf(lines: readonly Line[]): Map<number, Lifetime> {
  const lifetimes = new Map<number, Lifetime>();
  const extend = (register: number, end: number): void => {
    const lifetime = lifetimes.get(register);
    if (lifetime === undefined) throw new TypeError(`register ${register} is read before it is written`);
    lifetime.end = Math.max(lifetime.end, end);
  };
  lines.forEach((line, position) => {
    if (line.kind === 'instruction') {
      registersRead(line.instruction).forEach((register) => extend(register, position));
      const { d } = line.instruction;
      if (d?.kind !== 'register') return;
      if (!lifetimes.has(d.register)) lifetimes.set(d.register, { start: position, end: position });
      extend(d.register, position);
      return;
    }
    for (let inside = line.target; inside < position; inside += 1) {
      const inner = lines[inside] as Line;
      if (inner.kind !== 'instruction') continue;
      for (const register of registersRead(inner.instruction)) {
        if ((lifetimes.get(register) as Lifetime).start < line.target) extend(register, position);
      }
    }
  });
  return lifetimes;
}

/** Assigns the machine's registers by linear scan; null when there are too few. */
export function allocate(code: VirtualCode): Instruction[] | null {
  const lines = linesOf(code.blocks);
  const lifetimes = lifetimesOf(lines);
  const free = {
    scalar: Array.from({ length: SCALAR_REGISTERS }, (_, register) => register),
    vector: Array.from({ length: VECTOR_REGISTERS }, (_, register) => register).filter((register) => register !== OUTPUT_VECTOR),
  };
  const assigned = new Map<number, number>();
  const release = (position: number): void => {
    for (const [register, number] of assigned) {
      if ((lifetimes.get(register) as Lifetime).end > position) continue;
      assigned.delete(register);
      const pool = free[code.registers[register] as 'scalar' | 'vector'];
      pool.push(number);
      pool.sort((left, right) => left - right);
    }
  };

  const result: Instruction[] = [];
  for (const [position, line] of lines.entries()) {
    if (line.kind === 'loop') {
      result.push(encodeLoop(line.loop, line.target));
      release(position);
      continue;
    }
    const { instruction } = line;
    const numberOf = (source: VirtualSource): number => {
      if (source.kind === 'register') return assigned.get(source.register) as number;
      return source.kind === 'source' ? source.number : Source.IMMEDIATE;
    };
    const [a, b, c] = [numberOf(instruction.a), numberOf(instruction.b), instruction.c === null ? null : numberOf(instruction.c)];
    let d = 0;
    if (instruction.d?.kind === 'fixed') d = instruction.d.number;
    if (instruction.d?.kind === 'register') {
      const { register } = instruction.d;
      if (!assigned.has(register)) {
        endingHere(instruction, position, lifetimes).forEach((source) => {
          const pool = free[code.registers[source] as 'scalar' | 'vector'];
          pool.push(assigned.get(source) as number);
          pool.sort((left, right) => left - right);
          assigned.delete(source);
        });
        const number = free[code.registers[register] as 'scalar' | 'vector'].shift();
        if (number === undefined) return null;
        assigned.set(register, number);
      }
      d = assigned.get(register) as number;
    }
    result.push(encode(instruction, d, a, b, c));
    release(position);
  }
  return result;
}

/** Registers that the instruction reads for the last time, so that its result may take one of them. */
const endingHere = (instruction: VirtualInstruction, position: number, lifetimes: ReadonlyMap<number, Lifetime>): Set<number> =>
  new Set(registersRead(instruction).filter((register) => (lifetimes.get(register) as Lifetime).end === position));

function encodeLoop({ counter, bound }: VirtualLoop, target: number): Instruction {
  if (bound === 'lanes') return { op: Opcode.LOOP, d: counter, a: 0, b: 1, x: target };
  return { op: Opcode.LOOP, d: counter, a: bound.perIteration, b: 0, x: bound.base * 1024 + target };
}

function encode({ op, a, b, c, operand }: VirtualInstruction, d: number, aNumber: number, bNumber: number, cNumber: number | null): Instruction {
  const immediate = [a, b, c].reduce((value, source) => (source?.kind === 'immediate' ? source.value : value), 0);
  if (operand !== null) return { op, d, a: aNumber, b: bNumber, x: operand };
  if (cNumber === null) return { op, d, a: aNumber, b: bNumber, x: immediate >>> 0 };
  return { op, d, a: aNumber, b: bNumber, x: ((immediate << 8) | cNumber) >>> 0 };
}
