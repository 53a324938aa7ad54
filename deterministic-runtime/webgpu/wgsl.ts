import type { SpecializedKernel } from '../language/specialized.ts';
import { wordCount } from '../program/tensor.ts';
import { findMatrixProduct } from './matrix-product.ts';
import { RUN_STRUCT } from './run-state.ts';
import { SHARE_FROM, tilingFor } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { bufferCode } from './wgsl-buffers.ts';
import { blockMain } from './wgsl-block.ts';
import { libraryCode } from './wgsl-library.ts';
import { invocationMain, tiledMain } from './wgsl-main.ts';
import { createReadFunctions } from './wgsl-reads.ts';
import type { OperandStorage } from './wgsl-reads.ts';

export interface WgslOptions {
  readonly schedule: Schedule;
  /** Whether `dot4I8Packed` may be used. */
  readonly packedDot: boolean;
  /** Shortest reduction that a workgroup shares; default 32. */
  readonly shareFrom?: number;
  /** One for each operand; by default, each in a buffer of its own. */
  readonly storage?: readonly OperandStorage[];
  /** 32-bit units from one iteration's output to the next in its buffer; 0 (default) when it holds one iteration's alone. */
  readonly outputStride?: number;
  /** See `OutputCode`. */
  readonly iterationUnits?: number;
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
  const { iterationUnits } = options;
  const destination = { buffer: output, stride: outputStride, ...(iterationUnits === undefined ? {} : { iterationUnits }) };
  const product = options.schedule === 'block' ? findMatrixProduct(kernel) : null;
  const tiling = tilingFor(kernel, options.schedule, options.shareFrom);
  const { functions, library, workgroups } = product !== null ? blockMain(kernel, product, reads, destination)
    : tiling !== null ? tiledMain(kernel, tiling, options.shareFrom ?? SHARE_FROM, reads, destination) : invocationMain(kernel, reads, destination);
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
  return { code, operands: reads.bindings(), workgroups, schedule: product === null && tiling === null ? 'invocation' : options.schedule };
}

