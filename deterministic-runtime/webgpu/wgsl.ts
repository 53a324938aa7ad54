import type { SpecializedKernel, SpecializedReduction } from '../language/specialized.ts';
import { wordCount } from '../program/tensor.ts';
import { Emitter, openScope } from './wgsl-emitter.ts';
import { libraryCode } from './wgsl-library.ts';
import { invocationMain, SLICES, tileMain, workgroupMain } from './wgsl-main.ts';
import type { MainCode } from './wgsl-main.ts';
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
}

/** A compute shader with the entry point `main`. */
export interface WgslShader {
  readonly code: string;
  /** The operands behind bindings 2, 3, …; binding 0 is the `Run` uniform, binding 1 the output. */
  readonly operands: readonly number[];
  /** Workgroups that cover the output. They may be folded into two dimensions. */
  readonly workgroups: number;
  readonly schedule: Schedule;
}

/** Bindings of every shader: the uniform `Run`, the output, and then the operands. */
export const BINDING = { run: 0, output: 1, firstOperand: 2 } as const;
/** Bytes of the uniform `Run`. */
export const RUN_BYTES = 16;
/**
 * Compiles a kernel to WGSL.
 * @throws RangeError when the output has no elements or the kernel reads an operand that it does not have.
 */
export function compileWgsl(kernel: SpecializedKernel, options: WgslOptions): WgslShader {
  if (wordCount(kernel.output) === 0) throw new RangeError(`kernel ${kernel.name} has an empty output (${kernel.output.rows} × ${kernel.output.columns})`);
  const storage = options.storage ?? kernel.operands.map(() => ({ inOutput: false, iterationStride: 0 }));
  const dot4 = options.packedDot ? 'dot4_packed' : 'dot4_unpacked';
  const reads = createReadFunctions(kernel, storage, dot4);
  const { functions, library, schedule, workgroups } = writeMain(kernel, options, reads);
  const readCode = reads.code(BINDING.firstOperand);
  const usesDot = readCode.includes(dot4);
  const code = [
    options.packedDot && usesDot ? 'requires packed_4x8_integer_dot_product;' : '',
    'struct Run { iteration: u32, writtenNow: u32, writtenBefore: u32, nonce: u32 }',
    `@group(0) @binding(${BINDING.run}) var<uniform> run: Run;`,
    `@group(0) @binding(${BINDING.output}) var<storage, read_write> result: array<u32>;`,
    libraryCode([...library, ...(usesDot ? [dot4] : [])]),
    readCode,
    functions,
  ].filter((part) => part !== '').join('\n');
  return { code, operands: reads.bindings(), workgroups, schedule };
}

/** The functions `element` and `main` in the schedule that is asked for, or that the kernel allows. */
function writeMain(kernel: SpecializedKernel, options: WgslOptions, reads: ReadFunctions): MainCode & { readonly library: ReadonlySet<string>; readonly schedule: Schedule } {
  const { schedule, outputStride = 0, shareFrom = 2 * SLICES } = options;
  const product = schedule === 'tile' ? findMatrixProduct(kernel) : null;
  const isShared = ({ bound }: SpecializedReduction): boolean =>
    schedule === 'workgroup' && bound.base + bound.perIteration * kernel.maxIterations >= shareFrom;
  const given = product === null ? {} : { given: { node: product.reductions[0], name: 'total' } };
  const emitter = new Emitter({ reads, isShared, ...given });
  const scope = openScope();
  const value = emitter.emit(kernel.element, scope, { row: 'row', column: 'column' });
  const element = [...scope.lines, `return ${value};`].map((line) => `  ${line}`).join('\n');
  const { library } = emitter;
  if (product !== null) return { ...tileMain(kernel, outputStride, element, tileSums(product, tileRows(kernel), reads, emitter)), library, schedule: 'tile' };
  if (emitter.shared.size > 0) return { ...workgroupMain(kernel, outputStride, element, emitter.shared), library, schedule: 'workgroup' };
  return { ...invocationMain(kernel, outputStride, element), library, schedule: 'invocation' };
}
