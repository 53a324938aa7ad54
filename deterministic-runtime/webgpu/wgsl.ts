import type { ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedKernel, SpecializedReduction } from '../language/specialized.ts';
import { lanesPerWord, wordCount, wordsPerRow } from '../program/tensor.ts';
import { combine, elementCode } from './wgsl-element.ts';
import { libraryCode } from './wgsl-library.ts';
import { createReadFunctions, UNITS_PER_WORD } from './wgsl-reads.ts';
import type { OperandStorage } from './wgsl-reads.ts';

/**
 * `invocation`: each invocation computes one 32-bit unit of the output (four i8 elements, or an i32). `workgroup`: the
 * invocations of a workgroup share the long reductions of four elements. Both give the same bits, since reductions are associative
 * and commutative; software drivers are faster with the first, GPUs with the second where the output is small.
 */
export type Schedule = 'invocation' | 'workgroup';

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
/** Invocations in a workgroup: a multiple of every GPU's subgroup, and well below the portable limit of 256. */
const WORKGROUP_SIZE = 64;
/** How a workgroup divides its invocations in the `workgroup` schedule: elements × slices of each reduction. */
const ELEMENTS = 4;
const SLICES = WORKGROUP_SIZE / ELEMENTS;

/**
 * Compiles a kernel to WGSL.
 * @throws RangeError when the output has no elements or the kernel reads an operand that it does not have.
 */
export function compileWgsl(kernel: SpecializedKernel, options: WgslOptions): WgslShader {
  const units = wordCount(kernel.output) * UNITS_PER_WORD;
  if (units === 0) throw new RangeError(`kernel ${kernel.name} has an empty output (${kernel.output.rows} × ${kernel.output.columns})`);
  const storage = options.storage ?? kernel.operands.map(() => ({ inOutput: false, iterationStride: 0 }));
  const outputStride = options.outputStride ?? 0;
  const dot4 = options.packedDot ? 'dot4_packed' : 'dot4_unpacked';
  const reads = createReadFunctions(kernel, storage, dot4);
  const { shareFrom = 2 * SLICES } = options;
  const isShared = ({ bound }: SpecializedReduction): boolean => options.schedule === 'workgroup' && bound.base + bound.perIteration * kernel.maxIterations >= shareFrom;
  const element = elementCode(kernel.element, { reads, isShared });
  // Without a long reduction there is nothing to share.
  const schedule: Schedule = element.shared.size > 0 ? 'workgroup' : 'invocation';
  const readCode = reads.code(BINDING.firstOperand);
  const usesDot = readCode.includes(dot4);

  const code = [
    options.packedDot && usesDot ? 'requires packed_4x8_integer_dot_product;' : '',
    'struct Run { iteration: u32, writtenNow: u32, writtenBefore: u32, nonce: u32 }',
    `@group(0) @binding(${BINDING.run}) var<uniform> run: Run;`,
    `@group(0) @binding(${BINDING.output}) var<storage, read_write> result: array<u32>;`,
    libraryCode([...element.library, ...(usesDot ? [dot4] : [])]),
    readCode,
    ...(schedule === 'invocation'
      ? [`fn element(row: i32, column: i32) -> i32 {\n${element.body}\n}`, invocationMain(kernel, outputStride)]
      : [sharingCode(element.shared), `fn element(row: i32, column: i32, local: u32, slice: u32) -> i32 {\n${element.body}\n}`, workgroupMain(kernel, outputStride)]),
  ].filter((part) => part !== '').join('\n');
  const workgroups = schedule === 'invocation'
    ? Math.ceil(units / WORKGROUP_SIZE)
    : Math.ceil(units / (kernel.output.element === 'i8' ? 1 : ELEMENTS));
  return { code, operands: reads.bindings(), workgroups, schedule };
}

/** The head of every `main`: `group` counts workgroups over both dimensions of the dispatch. */
const MAIN = `@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let group = id.x + id.y * groups.x;`;

interface OutputSizes { readonly units: number; readonly unitsPerRow: number; readonly columns: number; readonly lanes: number }

const sizes = ({ output }: SpecializedKernel): OutputSizes => ({
  units: wordCount(output) * UNITS_PER_WORD,
  unitsPerRow: wordsPerRow(output) * UNITS_PER_WORD,
  columns: output.columns,
  lanes: lanesPerWord(output.element) / UNITS_PER_WORD,
});

const outputIndex = (outputStride: number): string => (outputStride === 0 ? 'unit' : `run.iteration * ${outputStride}u + unit`);

function invocationMain(kernel: SpecializedKernel, outputStride: number): string {
  const { units, unitsPerRow, columns, lanes } = sizes(kernel);
  const value = lanes === 1
    ? `  let column = i32(unit % ${unitsPerRow}u);
  if (column < ${columns}i) { value = u32(element(row, column)); }`
    : `  for (var lane = 0i; lane < ${lanes}i; lane = lane + 1i) {
    let column = i32(unit % ${unitsPerRow}u) * ${lanes}i + lane;
    if (column < ${columns}i) { value = value | ((u32(element(row, column)) & 0xffu) << (u32(lane) * 8u)); }
  }`;
  return `${MAIN}
  let unit = group * ${WORKGROUP_SIZE}u + local;
  if (unit >= ${units}u) { return; }
  let row = i32(unit / ${unitsPerRow}u);
  var value = 0u;
${value}
  result[${outputIndex(outputStride)}] = value;
}`;
}

/** Every invocation runs to the end, past the output's too (on its last element), since barriers need all of them. */
function workgroupMain(kernel: SpecializedKernel, outputStride: number): string {
  const { units, unitsPerRow, columns, lanes } = sizes(kernel);
  const packed = lanes > 1;
  const store = packed
    ? `  if (slice == 0u) { lanes[which] = (u32(value) & 0xffu) << (which * 8u); }
  workgroupBarrier();
  if ((local == 0u) && (wanted < ${units}u)) { result[${outputIndex(outputStride)}] = ${Array.from({ length: lanes }, (_, lane) => `lanes[${lane}]`).join(' | ')}; }`
    : `  if ((slice == 0u) && (wanted < ${units}u)) { result[${outputIndex(outputStride)}] = u32(value); }`;
  return `${packed ? `var<workgroup> lanes: array<u32, ${lanes}>;\n` : ''}${MAIN}
  let slice = local % SLICES;
  let which = local / SLICES;
  let wanted = ${packed ? 'group' : `group * ${ELEMENTS}u + which`};
  let unit = min(wanted, ${units - 1}u);
  let row = i32(unit / ${unitsPerRow}u);
  let column = i32(unit % ${unitsPerRow}u)${packed ? ` * ${lanes}i + i32(which)` : ''};
  let computed = element(row, min(column, ${columns - 1}i), local, slice);
  let value = select(0i, computed, column < ${columns}i);
${store}
}`;
}

/** Functions that combine the slices' partial values: a tree in workgroup memory, the same total for every slice. */
function sharingCode(shared: ReadonlySet<string>): string {
  const functions = [...shared].map((name) => {
    const [operator, type] = name.split('_') as [ReductionOperator, ScalarType];
    const wgslType = type === 'i32' ? 'i32' : 'vec2<u32>';
    const combined = combine(operator, type, `partial_${type}[local]`, `partial_${type}[local + step]`, (called, ...operands) => `${called}(${operands.join(', ')})`);
    return `fn share_${name}(value: ${wgslType}, local: u32) -> ${wgslType} {
  partial_${type}[local] = value;
  workgroupBarrier();
  for (var step = SLICES / 2u; step > 0u; step = step / 2u) {
    if ((local % SLICES) < step) { partial_${type}[local] = ${combined}; }
    workgroupBarrier();
  }
  let total = partial_${type}[local - local % SLICES];
  workgroupBarrier();
  return total;
}`;
  });
  const types = new Set([...shared].map((name) => name.split('_')[1]));
  return [
    `const SLICES = ${SLICES}u;`,
    types.has('i32') ? `var<workgroup> partial_i32: array<i32, ${WORKGROUP_SIZE}>;` : '',
    types.has('i64') ? `var<workgroup> partial_i64: array<vec2<u32>, ${WORKGROUP_SIZE}>;` : '',
    ...functions,
  ].filter((part) => part !== '').join('\n');
}
