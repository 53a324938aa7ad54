import type { SpecializedKernel, SpecializedReduction } from '../language/specialized.ts';
import { wordCount } from '../program/tensor.ts';
import { RUN_STRUCT } from './run-state.ts';
import { bufferCode } from './wgsl-buffers.ts';
import { Emitter, openScope } from './wgsl-emitter.ts';
import { libraryCode } from './wgsl-library.ts';
import { invocationMain, SLICES, tileMain, workgroupMain } from './wgsl-main.ts';
import type { MainCode, OutputCode } from './wgsl-main.ts';
import { createReadFunctions } from './wgsl-reads.ts';
import type { OperandStorage, ReadFunctions } from './wgsl-reads.ts';
import { findMatrixProduct, tileRows, tileSums } from './wgsl-tile.ts';

/**
 * `invocation`: each invocation computes one 32-bit unit of the output (four i8 elements, or an i32). `tile`: of a matrix
 * product, each computes a tile of up to 4 × 4 elements. `workgroup`: the invocations of a workgroup share the long
 * reductions of four elements, which keeps a GPU busy where the output is small. Kernels that have no matrix product or no long
 * reduction fall back to `invocation`. All give the same bits, since reductions are associative and commutative.
 */
export type Schedule = 'invocation' | 'tile' | 'workgroup';

export interface WgslOptions {
  readonly schedule: Schedule;
  /** Whether `dot4I8Packed` may be used. */
  readonly packedDot: boolean;
  /** Shortest reduction that a workgroup shares; default 32, two terms a slice. */
  readonly shareFrom?: number;
  /** One for each operand; by default, each in a buffer of its own. */
  readonly storage?: readonly OperandStorage[];
  /** 32-bit units from one iteration's output to the next in its buffer; 0 (default) when it holds one iteration's alone. */
  readonly outputStride?: number;
  /** Bindings of the output; default 1. */
  readonly outputShards?: number;
  /** Units in a binding of what has several: a power of two. */
  readonly shardUnits?: number;
}

/** A compute shader with the entry point `main`. */
export interface WgslShader {
  readonly code: string;
  /** The operands behind the output's bindings, in order; binding 0 is the `Run` uniform, the output's begin at 1. */
  readonly operands: readonly number[];
  /** Workgroups that cover the output. They may be folded into two dimensions. */
  readonly workgroups: number;
  readonly schedule: Schedule;
}

/**
 * Compiles a kernel to WGSL.
 * @throws RangeError when the output has no elements or the kernel reads an operand that it does not have.
 */
export function compileWgsl(kernel: SpecializedKernel, options: WgslOptions): WgslShader {
  if (wordCount(kernel.output) === 0) throw new RangeError(`kernel ${kernel.name} has an empty output (${kernel.output.rows} × ${kernel.output.columns})`);
  const { shardUnits = 2 ** 30, outputShards = 1, outputStride = 0 } = options;
  const storage = options.storage ?? kernel.operands.map(() => ({ inOutput: false, iterationStride: 0, shards: 1 }));
  const dot4 = options.packedDot ? 'dot4_packed' : 'dot4_unpacked';
  const output = bufferCode('result', { firstBinding: 1, shards: outputShards, shardUnits, writable: true });
  const reads = createReadFunctions(kernel, { storage, shardUnits, output, dot4 });
  const { functions, library, schedule, workgroups } = writeMain(kernel, options, reads, { buffer: output, stride: outputStride });
  const readCode = reads.code(1 + outputShards);
  const usesDot = readCode.includes(dot4);
  const code = [
    options.packedDot && usesDot ? 'requires packed_4x8_integer_dot_product;' : '',
    RUN_STRUCT,
    '@group(0) @binding(0) var<uniform> run: Run;',
    output.code,
    libraryCode([...library, ...(usesDot ? [dot4] : [])]),
    readCode,
    functions,
  ].filter((part) => part !== '').join('\n');
  return { code, operands: reads.bindings(), workgroups, schedule };
}

/** The functions `element` and `main` in the schedule that is asked for, or that the kernel allows. */
function writeMain(kernel: SpecializedKernel, options: WgslOptions, reads: ReadFunctions, output: OutputCode): MainCode & { readonly library: ReadonlySet<string>; readonly schedule: Schedule } {
  const { schedule, shareFrom = 2 * SLICES } = options;
  const product = schedule === 'tile' ? findMatrixProduct(kernel) : null;
  const isShared = ({ bound }: SpecializedReduction): boolean =>
    schedule === 'workgroup' && bound.base + bound.perIteration * kernel.maxIterations >= shareFrom;
  const given = product === null ? {} : { given: { node: product.reductions[0], name: 'total' } };
  const emitter = new Emitter({ reads, isShared, ...given });
  const scope = openScope();
  const value = emitter.emit(kernel.element, scope, { row: 'row', column: 'column' });
  const element = [...scope.lines, `return ${value};`].map((line) => `  ${line}`).join('\n');
  const { library } = emitter;
  if (product !== null) return { ...tileMain(kernel, output, element, tileSums(product, tileRows(kernel), reads, emitter)), library, schedule: 'tile' };
  if (emitter.shared.size > 0) return { ...workgroupMain(kernel, output, element, emitter.shared), library, schedule: 'workgroup' };
  return { ...invocationMain(kernel, output, element), library, schedule: 'invocation' };
}
