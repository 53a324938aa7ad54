import type { SpecializedKernel } from '../language/specialized.ts';
import { ModuleBuilder } from './assembler.ts';
import type { FunctionBuilder, Local } from './assembler.ts';
import { Emitter } from './emitter.ts';
import type { Form } from './forms.ts';
import { COLUMN, ITERATION, ROW } from './graph.ts';
import { lowerKernel } from './lower.ts';
import type { LoweredKernel } from './lower.ts';
import { scheduleOf } from './schedule.ts';
import { pushLowBytes } from './vector-operators.ts';

/** One function of a module. */
export interface KernelFunction {
  /** The name it is exported under. */
  readonly name: string;
  readonly kernel: SpecializedKernel;
  /** For each operand, the bytes between the tensors of two iterations (unused for single ones). */
  readonly strides: readonly number[];
}

/**
 * What a compiled kernel is called as: computes rows [from, to) of the output. `output` and `operands` are the addresses of
 * the tensors in memory (of iteration 0's for iterated ones). Padding is not written.
 */
export type CompiledKernel = (iteration: number, from: number, to: number, output: number, ...operands: number[]) => void;

/**
 * Compiles kernels to one WebAssembly module that imports its memory as `env.memory` and exports a `CompiledKernel` under
 * each name. The memory must hold zeros in the zero area (`ZERO_AREA`, as long as the longest row that any kernel reads),
 * and `GUARD_BYTES` after the last tensor.
 */
export function compileKernels(functions: readonly KernelFunction[]): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { minimum: 1 });
  for (const { name, kernel, strides } of functions) {
    const parameters = Array.from({ length: 4 + kernel.operands.length }, () => 'i32' as const);
    module.function({ export: name, parameters }, (code, locals) => emitKernel(code, locals, kernel, strides));
  }
  return module.encode();
}

function emitKernel(code: FunctionBuilder, parameters: readonly Local[], kernel: SpecializedKernel, strides: readonly number[]): void {
  const [iteration, from, to, output, ...operands] = parameters as [Local, Local, Local, Local, ...Local[]];
  const lowered = lowerKernel(kernel, strides);
  const schedule = scheduleOf(kernel.output, lowered.element);
  const emitter = new Emitter(code, (operand) => (operand < 0 ? output : operands[operand]!));
  const form: Form = schedule.columns === 1 ? 'scalar' : 'vector';
  const prepare = (): void => {
    emitter.prepare(lowered.address, 'scalar');
    emitter.prepare(lowered.element, form);
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
    const last = kernel.output.columns - step;
    const column = code.local('i32');
    code.i32(0).set(column);
    code.block((done) => code.loop((next) => {
      framed(COLUMN, [column], inner);
      code.get(column).i32(last).op('i32.eq').branchIf(done);
      code.get(column).i32(step).op('i32.add').tee(column);
      if (kernel.output.columns % step !== 0) code.i32(last).get(column).i32(last).op('i32.lt_s').op('select').set(column);
      else code.op('drop');
      code.branch(next);
    }));
    code.release(column);
  };

  if (kernel.output.columns < 1) return;
  emitter.lane = form === 'vector' ? COLUMN : 0;
  emitter.vectors = Math.max(1, schedule.columns / 4);
  const store = (): void => emitStore(emitter, kernel, lowered, form);
  framed(ITERATION, [iteration], () => {
    if (schedule.outer === 'rows') overRows(() => overColumns(store));
    else overColumns(() => overRows(store));
  });
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
