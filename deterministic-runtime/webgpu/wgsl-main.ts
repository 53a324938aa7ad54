import type { ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import { lanesPerWord, wordCount, wordsPerRow } from '../program/tensor.ts';
import { combine } from './wgsl-operators.ts';
import { UNITS_PER_WORD } from './wgsl-buffers.ts';
import type { BufferCode } from './wgsl-buffers.ts';
import { TILE_COLUMNS, tileRows } from './wgsl-tile.ts';

/** The functions `element` and `main`, and how many workgroups cover the output. */
export interface MainCode {
  readonly functions: string;
  readonly workgroups: number;
}

/** Invocations in a workgroup: a multiple of every GPU's subgroup, and well below the portable limit of 256. */
const WORKGROUP_SIZE = 64;
/** How a workgroup that shares reductions divides its invocations: elements × slices of each reduction. */
const ELEMENTS = 4;
export const SLICES = WORKGROUP_SIZE / ELEMENTS;

/** The head of every `main`: `group` counts workgroups over both dimensions of the dispatch. */
const MAIN = `@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  if (run.running == 0u) { return; }
  let group = id.x + id.y * groups.x;`;

interface OutputSizes { readonly units: number; readonly unitsPerRow: number; readonly columns: number; readonly lanes: number }

const sizes = ({ output }: SpecializedKernel): OutputSizes => ({
  units: wordCount(output) * UNITS_PER_WORD,
  unitsPerRow: wordsPerRow(output) * UNITS_PER_WORD,
  columns: output.columns,
  lanes: lanesPerWord(output.element) / UNITS_PER_WORD,
});

/** Where a kernel's output goes. */
export interface OutputCode {
  readonly buffer: BufferCode;
  /** 32-bit units from one iteration's tensor to the next; 0 when there is one alone. */
  readonly stride: number;
}

/** Writes `value` to `unit` of this iteration's tensor. */
const storeUnit = ({ buffer, stride }: OutputCode, value: string): string => buffer.store(stride === 0 ? 'unit' : `run.iteration * ${stride}u + unit`, value);

/** Every invocation computes one unit, its elements one after another. `element`: the body of `fn element(row, column)`. */
export function invocationMain(kernel: SpecializedKernel, output: OutputCode, element: string): MainCode {
  const { units, unitsPerRow, columns, lanes } = sizes(kernel);
  const value = lanes === 1
    ? `  let column = i32(unit % ${unitsPerRow}u);
  if (column < ${columns}i) { value = u32(element(row, column)); }`
    : `  for (var lane = 0i; lane < ${lanes}i; lane = lane + 1i) {
    let column = i32(unit % ${unitsPerRow}u) * ${lanes}i + lane;
    if (column < ${columns}i) { value = value | ((u32(element(row, column)) & 0xffu) << (u32(lane) * 8u)); }
  }`;
  const functions = `fn element(row: i32, column: i32) -> i32 {
${element}
}
${MAIN}
  let unit = group * ${WORKGROUP_SIZE}u + local;
  if (unit >= ${units}u) { return; }
  let row = i32(unit / ${unitsPerRow}u);
  var value = 0u;
${value}
  ${storeUnit(output, 'value')}
}`;
  return { functions, workgroups: Math.ceil(units / WORKGROUP_SIZE) };
}

/**
 * Every invocation computes a tile. `sums`: statements that sum `total<r>_<c>` for elements at `row<r>`, `column<c>`; `element`: the body
 * of `fn element(row, column, total)`. Rows and columns past the output are computed as its last, and not stored.
 */
export function tileMain(kernel: SpecializedKernel, output: OutputCode, element: string, sums: readonly string[]): MainCode {
  const { unitsPerRow, columns, lanes } = sizes(kernel);
  const rows = tileRows(kernel);
  const tilesPerRow = (unitsPerRow * lanes) / TILE_COLUMNS;
  const tiles = Math.ceil(kernel.output.rows / rows) * tilesPerRow;
  const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  const totals = range(rows).flatMap((row) => range(TILE_COLUMNS).map((column) => `total${row}_${column}`));
  const store = lanes === 1
    ? `      let unit = u32(row) * ${unitsPerRow}u + u32(column);
      ${storeUnit(output, `select(0u, u32(value), column < ${columns}i)`)}`
    : `      if (column < ${columns}i) { packed = packed | ((u32(value) & 0xffu) << (u32(c) * 8u)); }`;
  const storePacked = `    let unit = u32(row) * ${unitsPerRow}u + u32(firstColumn) / ${lanes}u;
    ${storeUnit(output, 'packed')}
`;
  const functions = `fn element(row: i32, column: i32, total: i32) -> i32 {
${element}
}
${MAIN}
  let tile = group * ${WORKGROUP_SIZE}u + local;
  if (tile >= ${tiles}u) { return; }
  let firstRow = i32(tile / ${tilesPerRow}u) * ${rows}i;
  let firstColumn = i32(tile % ${tilesPerRow}u) * ${TILE_COLUMNS}i;
${range(rows).map((row) => `  let row${row} = min(firstRow + ${row}i, ${kernel.output.rows - 1}i);`).join('\n')}
${range(TILE_COLUMNS).map((column) => `  let column${column} = min(firstColumn + ${column}i, ${columns - 1}i);`).join('\n')}
${sums.map((line) => `  ${line}`).join('\n')}
  var totals = array<i32, ${totals.length}>(${totals.join(', ')});
  for (var r = 0i; r < ${rows}i; r = r + 1i) {
    let row = firstRow + r;
    if (row >= ${kernel.output.rows}i) { break; }
    ${lanes === 1 ? '' : 'var packed = 0u;'}
    for (var c = 0i; c < ${TILE_COLUMNS}i; c = c + 1i) {
      let column = firstColumn + c;
      let value = element(row, min(column, ${columns - 1}i), totals[r * ${TILE_COLUMNS}i + c]);
${store}
    }
${lanes === 1 ? '' : storePacked}  }
}`;
  return { functions, workgroups: Math.ceil(tiles / WORKGROUP_SIZE) };
}

/**
 * The invocations of a workgroup share the reductions of four elements. `element`: the body of `fn element(row, column, local, slice)`; `shared`:
 * `operator_type` of the reductions in it. Every invocation runs to the end, past the output's too (on its last element), since barriers need all of them.
 */
export function workgroupMain(kernel: SpecializedKernel, output: OutputCode, element: string, shared: ReadonlySet<string>): MainCode {
  const { units, unitsPerRow, columns, lanes } = sizes(kernel);
  const packed = lanes > 1;
  const store = packed
    ? `  if (slice == 0u) { lanes[which] = (u32(value) & 0xffu) << (which * 8u); }
  workgroupBarrier();
  if ((local == 0u) && (wanted < ${units}u)) { ${storeUnit(output, Array.from({ length: lanes }, (_, lane) => `lanes[${lane}]`).join(' | '))} }`
    : `  if ((slice == 0u) && (wanted < ${units}u)) { ${storeUnit(output, 'u32(value)')} }`;
  const functions = `${sharingCode(shared)}
fn element(row: i32, column: i32, local: u32, slice: u32) -> i32 {
${element}
}
${packed ? `var<workgroup> lanes: array<u32, ${lanes}>;\n` : ''}${MAIN}
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
  return { functions, workgroups: packed ? units : Math.ceil(units / ELEMENTS) };
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
