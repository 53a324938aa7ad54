import { carriedOperators } from '../program/carried.ts';
import type { CompiledOperator } from '../program/compile.ts';
import { operandShape } from '../program/program.ts';
import type { Operand, Program } from '../program/program.ts';
import { byteLength, WORD_BYTES } from '../program/tensor.ts';
import { ModuleBuilder } from '../wasm/assembler.ts';
import { operandMemory, PAGE_BYTES } from './memory-layout.ts';
import type { MemoryLayout, OperandMemory } from './memory-layout.ts';
import { rowsPerCall } from './rows.ts';
import type { RunRows } from './rows.ts';
import { emitWordFunction } from './word-function.ts';

/** Where an operator's operands come from: padded words; undefined where nothing was written. */
export type OperandSource = (operand: Operand, iteration: number) => Uint8Array | undefined;

/** Where one operator's operands and output lie in the memory that all of them use in turn. */
interface OperatorMemory {
  readonly operands: readonly (OperandMemory | null)[];
  readonly target: number;
  readonly end: number;
}

/**
 * Runs operators of a program one at a time, in any order, on tensors that are given: word-machine code as WebAssembly, in a memory that has room for the operands and
 * the output of a single one. What it computes is what the chain replays.
 */
export interface OperatorRunner {
  /** The output of operator `number`, numbered as in `compileProgram`, as its padded words. */
  run(number: number, iteration: number, source: OperandSource): Uint8Array;
  /** Bytes of its memory. */
  readonly byteLength: number;
}

/** @throws RangeError when an operator alone does not fit the 4 GiB of a WebAssembly memory */
export async function createOperatorRunner(program: Program, operators: readonly CompiledOperator[]): Promise<OperatorRunner> {
  const carried = carriedOperators(operators);
  const places = operators.map((compiled) => layOutOperator(program, carried, compiled));
  const pages = Math.ceil(Math.max(WORD_BYTES, ...places.map(({ end }) => end)) / PAGE_BYTES);
  if (pages > 65536) throw new RangeError(`an operator of model '${program.name}' needs ${pages * PAGE_BYTES} bytes of memory; WebAssembly has 4 GiB`);
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { minimum: pages });
  operators.forEach(({ code, operator }, number) => emitWordFunction(module, { name: String(number), code, output: operator.output, operands: places[number]!.operands }));
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(module.encode()), { env: { memory } });
  const bytes = new Uint8Array(memory.buffer);
  return {
    byteLength: bytes.length,
    run(number, iteration, source) {
      const { operator, steps } = operators[number]!;
      const { operands, target, end } = places[number]!;
      operator.operands.forEach((operand, position) => {
        const place = operands[position];
        if (place !== null && place !== undefined) fill(bytes, program, { operand, place, iteration }, source);
      });
      const { rows } = operator.output;
      const runRows = exports[String(number)] as unknown as RunRows;
      const perCall = rowsPerCall(operator.output, steps, iteration);
      for (let row = 0; row < rows; row += perCall) runRows(iteration, target + (row * byteLength(operator.output)) / rows, row, Math.min(row + perCall, rows));
      return bytes.slice(target, end);
    },
  };
}

/** Puts what an operator reads into its place. */
function fill(bytes: Uint8Array, { maxIterations }: Program, { operand, place: { address, words, iterated }, iteration }: { readonly operand: Operand; readonly place: OperandMemory; readonly iteration: number }, source: OperandSource): void {
  const put = (from: number, start: number): void => {
    const tensor = source(operand, from);
    if (tensor === undefined) bytes.fill(0, start, start + words * WORD_BYTES);
    else bytes.set(tensor, start);
  };
  if (iterated === null || iterated.stride === 0) put(iteration, address);
  // What lies past the reader's own iteration is not read.
  else for (let from = 0; from < Math.min(iteration + 1, maxIterations); from += 1) put(from, address + from * iterated.stride);
}

/** Places one operator's operands and output behind the zero word that the code expects. */
function layOutOperator(program: Program, carried: ReadonlySet<number>, { section, index, operator }: CompiledOperator): OperatorMemory {
  let end = WORD_BYTES;
  const place = (bytes: number): number => {
    const address = end;
    end += bytes;
    return address;
  };
  const operands = operator.operands.map((operand) => {
    const stride = operand.kind === 'body' && carried.has(operand.operator) ? byteLength(operandShape(program, operand)) : 0;
    const at = end;
    const layout: Pick<MemoryLayout, 'seed' | 'input' | 'constant' | 'tensor' | 'stride'> = { seed: at, input: at, constant: () => at, tensor: () => at, stride: () => stride };
    const memory = operandMemory(program, layout, section, index, operand);
    if (memory !== null) place(memory.words * WORD_BYTES * (stride === 0 ? 1 : program.maxIterations));
    return memory;
  });
  const target = place(byteLength(operator.output));
  return { operands, target, end };
}
