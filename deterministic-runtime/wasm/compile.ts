import type { SpecializedKernel } from '../language/specialized.ts';
import { WORD_BYTES, elementBytes, wordsPerRow } from '../program/tensor.ts';
import { ModuleBuilder } from './assembler.ts';
import type { FunctionBuilder, FunctionReference, Local } from './assembler.ts';
import { Emitter } from './emitter.ts';
import type { Form } from './forms.ts';
import { COLUMN, ITERATION, ROW } from './graph.ts';
import { liveColumns } from './live-columns.ts';
import { lowerKernel } from './lower.ts';
import type { LoweredKernel, LoweringOptions, RowNumbering } from './lower.ts';
import { emitFitsSixteenBits, mergePlanes } from './planes.ts';
import { scheduleOf } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { pushLowBytes } from './vector-operators.ts';

/** One function of a module. */
export interface KernelFunction extends LoweringOptions {
  /** The name it is exported under. */
  readonly name: string;
  readonly kernel: SpecializedKernel;
  /** For each operand, the bytes between the tensors of two iterations (unused for single ones). */
  readonly strides: readonly number[];
}

/** What the schedule of a kernel takes for the number of iterations of a chunk. */
const TYPICAL_CHUNK = 32;

/**
 * What a compiled kernel is called as: computes rows [fromRow, toRow) and columns [fromColumn, toColumn) of the output. Columns come in steps (see
 * `scheduleOf`), so a few of their neighbours may be written as well, with what belongs there; `toColumn` must be the number of columns, or at least
 * `COLUMN_GRANULE`. `output` and `operands` are the addresses of the tensors in memory (of iteration 0's for iterated ones). Padding is not written.
 */
export type CompiledKernel = (
  iteration: number, fromRow: number, toRow: number, fromColumn: number, toColumn: number, output: number, ...operands: number[]
) => void;

/** Columns are divided at multiples of this: a cache line of bytes, and no smaller than any schedule's step. */
export const COLUMN_GRANULE = 64;

/**
 * Compiles kernels to one WebAssembly module that imports its memory as `env.memory` and exports a `CompiledKernel` under
 * each name. The memory must hold zeros in the zero area (`ZERO_AREA`, as long as the longest row that any kernel reads),
 * and `GUARD_BYTES` after the last tensor.
 */
export function compileKernels(functions: readonly KernelFunction[]): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { minimum: 1 });
  for (const compiled of functions) addKernel(module, compiled);
  return module.encode();
}

/** Adds one kernel's function to a module. */
export function addKernel(module: ModuleBuilder, compiled: KernelFunction): FunctionReference {
  const { name, kernel } = compiled;
  const parameters = Array.from({ length: 6 + kernel.operands.length }, () => 'i32' as const);
  return module.function({ export: name, parameters }, (code, locals) => emitKernel(code, locals, compiled));
}

function emitKernel(code: FunctionBuilder, parameters: readonly Local[], { kernel, strides, numbering = 'tensor', distinct = false }: KernelFunction): void {
  const [iteration, from, to, fromColumn, toColumn, output, ...operands] = parameters as [Local, Local, Local, Local, Local, Local, ...Local[]];
  const lowered = lowerKernel(kernel, strides, { numbering, distinct });
  const schedule = scheduleOf(kernel.output, lowered.element, kernel.output.rows * (numbering === 'tensor' ? 1 : TYPICAL_CHUNK));
  const emitter = new Emitter(code, (operand) => (operand < 0 ? output : operands[operand]!));
  const form: Form = schedule.columns === 1 ? 'scalar' : 'vector';
  let { element } = lowered;
  const prepare = (): void => {
    emitter.prepare(lowered.address, 'scalar');
    emitter.prepare(element, form);
  };
  const framed = (variable: number, locals: readonly Local[], inner: () => void): void => {
    emitter.frame(variable, locals, () => {
      prepare();
      inner();
    });
  };

  const rowLoop = (jam: number, row: Local, inner: () => void): void => {
    const rows = Array.from({ length: jam }, (_, index) => (index === 0 ? row : code.local('i32')));
    code.block((done) => code.loop((next) => {
      code.get(to).get(row).op('i32.sub').i32(jam).op('i32.lt_s').branchIf(done);
      rows.slice(1).forEach((local, index) => code.get(row).i32(index + 1).op('i32.add').set(local));
      emitter.rows = jam;
      framed(ROW, rows, inner);
      code.get(row).i32(jam).op('i32.add').set(row).branch(next);
    }));
  };
  const overRows = (inner: () => void): void => {
    const row = code.local('i32');
    code.get(from).set(row);
    if (schedule.rows > 1) rowLoop(schedule.rows, row, inner);
    rowLoop(1, row, inner);
    code.release(row);
  };
  const overColumns = (inner: () => void): void => {
    const step = schedule.columns;
    const column = code.local('i32');
    const last = code.local('i32');
    code.get(endColumn).i32(step).op('i32.sub').set(last);
    code.get(fromColumn).set(column);
    const lower = (): void => { code.get(column).get(last).get(column).get(last).op('i32.lt_s').op('select').set(column); };
    lower();
    code.block((done) => code.loop((next) => {
      framed(COLUMN, [column], inner);
      code.get(column).get(last).op('i32.eq').branchIf(done);
      code.get(column).i32(step).op('i32.add').set(column);
      lower();
      code.branch(next);
    }));
    code.release(column);
    code.release(last);
  };

  const endColumn = code.local('i32');
  code.get(from).get(to).op('i32.ge_s').get(fromColumn).get(toColumn).op('i32.ge_s').op('i32.or').if(() => code.op('return'));
  emitEndColumn(code, kernel, schedule, numbering, { iteration, from, to, fromColumn, toColumn, endColumn, output });
  emitter.lane = form === 'vector' ? COLUMN : 0;
  emitter.vectors = Math.max(1, schedule.columns / 4);
  const store = (): void => emitStore(emitter, kernel, { ...lowered, element }, form);
  const nest = (): void => {
    framed(ITERATION, [iteration], () => {
      if (schedule.outer === 'rows') overRows(() => overColumns(store));
      else overColumns(() => overRows(store));
    });
  };
  const merged = form === 'vector' ? mergePlanes(lowered.graph, lowered.element) : null;
  if (merged === null) {
    nest();
    return;
  }
  emitter.frame(ITERATION, [iteration], () => emitFitsSixteenBits(emitter, merged.planes, from, to));
  code.if(() => {
    element = merged.element;
    nest();
  }, () => {
    element = lowered.element;
    nest();
  });
}

/**
 * Sets `endColumn`: `toColumn`, or less where all columns from there on are zero in this iteration, which are then set to zero here.
 * At least one step of columns is left.
 */
function emitEndColumn(
  code: FunctionBuilder, kernel: SpecializedKernel, schedule: Schedule, numbering: RowNumbering,
  { iteration, from, to, fromColumn, toColumn, endColumn, output }: Readonly<Record<'iteration' | 'from' | 'to' | 'fromColumn' | 'toColumn' | 'endColumn' | 'output', Local>>,
): void {
  const live = liveColumns(kernel);
  code.get(toColumn).set(endColumn);
  if (live === null) return;
  const bytes = elementBytes(kernel.output.element);
  const rowBytes = wordsPerRow(kernel.output) * WORD_BYTES;
  const least = code.local('i32');
  const row = code.local('i32');
  const smaller = (left: Local, right: Local, comparison: 'i32.lt_s' | 'i32.gt_s', into: Local): void => {
    code.get(left).get(right).get(left).get(right).op(comparison).op('select').set(into);
  };
  code.get(iteration);
  // The last of several iterations has the most columns.
  if (numbering === 'iterations') code.get(to).i32(1).op('i32.sub').i32(kernel.output.rows).op('i32.div_s').op('i32.add');
  code.i32(live.perIteration).op('i32.mul').i32(live.base).op('i32.add').set(endColumn);
  code.get(fromColumn).i32(schedule.columns).op('i32.add').set(least);
  smaller(endColumn, least, 'i32.gt_s', endColumn);
  smaller(endColumn, toColumn, 'i32.lt_s', endColumn);
  code.get(endColumn).get(toColumn).op('i32.lt_s').if(() => {
    code.get(from).set(row);
    code.loop((next) => {
      code.get(output).get(row).i32(rowBytes).op('i32.mul').op('i32.add').get(endColumn).i32(bytes).op('i32.mul').op('i32.add');
      code.i32(0).get(toColumn).get(endColumn).op('i32.sub').i32(bytes).op('i32.mul').fill();
      code.get(row).i32(1).op('i32.add').tee(row).get(to).op('i32.lt_s').branchIf(next);
    });
  });
  code.release(least);
  code.release(row);
}

function emitStore(emitter: Emitter, { output }: SpecializedKernel, { element, address }: LoweredKernel, form: Form): void {
  const { code } = emitter;
  for (let row = 0; row < emitter.rows; row += 1) {
    if (form === 'scalar') {
      emitter.use(address, 'scalar', row);
      emitter.use(element, 'scalar', row);
      code.memory(output.element === 'i8' ? 'i32.store8' : 'i32.store');
    } else if (output.element === 'i32') {
      for (let unit = 0; unit < emitter.vectors; unit += 1) {
        emitter.use(address, 'scalar', row);
        emitter.use(element, 'vector', row, unit);
        code.memory('v128.store', unit * 16);
      }
    } else {
      const vectors = Array.from({ length: emitter.vectors }, (_, unit) => {
        const vector = code.local('v128');
        emitter.use(element, 'vector', row, unit);
        code.set(vector);
        return vector;
      });
      emitter.use(address, 'scalar', row);
      pushLowBytes(code, vectors);
      if (vectors.length === 4) code.memory('v128.store');
      else code.memoryLane(vectors.length === 2 ? 'v128.store64_lane' : 'v128.store32_lane', 0);
      for (const vector of vectors) code.release(vector);
    }
  }
}
