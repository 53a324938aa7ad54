import type { Operand, Program } from '../program/program.ts';
import { operandAddress } from './memory-layout.ts';
import type { ChunkLayout } from './memory-layout.ts';
import type { Computation, Run } from './run.ts';
import { divisionOf } from './steps.ts';

/** What became of a chunk of iterations. */
export interface ChunkResult {
  /** Iterations that are done, at least one. */
  readonly ran: number;
  /** The last of them said that the body stops. */
  readonly stopped: boolean;
  /** False when an iteration depended on what a later operator wrote in the chunk: the rest must run one by one. */
  readonly asSaid: boolean;
}

/**
 * Runs iterations from `first` side by side: each operator for all of them, then the next operator. That is right unless an operator reads what one behind
 * it wrote in an iteration of the chunk. Such operators take what the memory happens to hold; afterwards they are computed again with what belongs
 * there, iteration by iteration. While nothing differs, all that was read so far was right, so all that was written is; iterations from the first
 * difference on are thrown away.
 */
export async function runChunk(run: Run, first: number, most: number): Promise<ChunkResult> {
  const { program, engine } = run;
  const chunk = engine.compiled.layout.chunk!;
  engine.ensurePages(chunk.pages);
  run.memory = new Uint8Array(engine.memory.buffer);
  const count = Math.min(most, chunk.iterations);
  run.state.written = Math.max(run.state.written, first + count);
  const body = program.body.map((_, index) => new ChunkOperator(run, chunk, index, first));
  for (const operator of body) await operator.compute(count);
  const feedback = body.filter(({ readsLater }) => readsLater);
  const bytesOf = (index: number): number => chunk.outputs[index]!.bytes;
  // Where iterations are not kept anyway, all tensors of an operator lie beside each other.
  const copies = run.kept === null ? undefined : body.map((operator, index) => (chunk.outputs[index]!.ofChunk ? run.memory.slice(operator.address(0), operator.address(count)) : EMPTY));
  let ran = 0;
  let stopped = false;
  while (ran < count && !stopped) {
    if (feedback.length > 0 && run.isTurnOver()) await run.turn();
    // The first iteration read what iterations before the chunk wrote, which was there.
    if (ran > 0 && !feedback.every((operator) => operator.isRight(ran))) break;
    const iteration = ran;
    if (copies !== undefined) run.kept?.addIteration(first + iteration, (index) => copies[index]!.subarray(iteration * bytesOf(index), (iteration + 1) * bytesOf(index)));
    await run.seen('body', first + iteration, (index) => body[index]!.address(iteration));
    ran += 1;
    stopped = run.isNotZero(body.at(-1)!.address(ran));
  }
  return { ran, stopped, asSaid: stopped || ran === count };
}

/** An operator of the body in one chunk. */
class ChunkOperator {
  readonly #run: Run;
  readonly #computation: Computation;
  readonly #first: number;
  readonly #stride: number;
  readonly #again: number;
  /** Reads what it wrote itself in earlier iterations: they must be computed one after another. */
  readonly #readsItself: boolean;
  readonly readsLater: boolean;

  constructor(run: Run, chunk: ChunkLayout, index: number, first: number) {
    const { program, engine: { compiled } } = run;
    const { output: { rows, columns }, operands } = program.body[index]!;
    const { address, stride, ofChunk, again } = chunk.outputs[index]!;
    const addressOf = (operand: Operand): number => {
      const buffer = operand.kind === 'body' ? chunk.outputs[operand.operator]! : null;
      if (buffer === null) return operandAddress(compiled.layout, operand);
      return buffer.ofChunk ? (buffer.address - first * buffer.stride) | 0 : buffer.address;
    };
    this.#run = run;
    this.#first = first;
    this.#stride = stride;
    this.#again = again;
    this.#readsItself = readsOfBody(program, index).some((operator) => operator === index);
    this.readsLater = readsOfBody(program, index).some((operator) => operator > index);
    this.#computation = {
      name: compiled.chunkFunctions[index]!, iteration: first, rows, columns, output: ofChunk ? address : address + first * stride, operands: operands.map(addressOf),
    };
  }

  /** Where the tensor of the chunk's iteration `number` starts. */
  address(number: number): number {
    return this.#computation.output + number * this.#stride;
  }

  async compute(count: number): Promise<void> {
    const computation = this.#computation;
    if (!this.#readsItself) {
      const all = { ...computation, rows: computation.rows * count };
      await this.#run.pieces(all, divisionOf(all));
      return;
    }
    for (let number = 0; number < count; number += 1) {
      await this.#run.pieces({ ...computation, iteration: this.#first + number, output: this.address(number) }, divisionOf(computation));
    }
  }

  /** Computes an iteration's tensor again and compares. */
  isRight(number: number): boolean {
    const { name, rows, columns, operands } = this.#computation;
    const { engine, memory } = this.#run;
    const division = divisionOf({ rows, columns });
    engine.kernel(name, this.#first + number, { division, from: 0, to: division.units, rows, columns }, this.#again, operands);
    const [stored, again] = [this.address(number), this.#again];
    for (let byte = 0; byte < this.#stride; byte += 1) if (memory[stored + byte] !== memory[again + byte]) return false;
    return true;
  }
}

const EMPTY = new Uint8Array(0);

const readsOfBody = (program: Program, index: number): number[] =>
  program.body[index]!.operands.flatMap((operand) => (operand.kind === 'body' ? [operand.operator] : []));
