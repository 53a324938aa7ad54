import type { SpecializedKernel } from '../language/specialized.ts';
import { lanesPerWord, wordCount, wordsPerRow } from '../program/tensor.ts';
import { longestOf, WORKGROUP_SIZE } from './schedule.ts';
import type { Tiling } from './schedule.ts';
import { UNITS_PER_WORD } from './wgsl-buffers.ts';
import type { BufferCode } from './wgsl-buffers.ts';
import { Emitter } from './wgsl-emitter.ts';
import type { ReadFunctions } from './wgsl-reads.ts';
import { sharedMemory } from './wgsl-sharing.ts';

/** The function `main` with what it needs, and how many workgroups cover the output. */
export interface MainCode {
  readonly functions: string;
  readonly workgroups: number;
  /** Library functions that are called. */
  readonly library: ReadonlySet<string>;
}

/** Where a kernel's output goes. */
export interface OutputCode {
  readonly buffer: BufferCode;
  /** 32-bit units from one iteration's tensor to the next; 0 when there is one alone. */
  readonly stride: number;
  /** Units of one iteration's tensor, where several are computed side by side: nothing is written beyond the last of them. */
  readonly iterationUnits?: number;
}

/** Bytes of workgroup memory that every adapter has. */
const WORKGROUP_MEMORY = 16384;

/** The head of every `main`: `group` counts workgroups over both dimensions of the dispatch. */
export const mainOf = (workgroupSize: number): string => `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  if (run.running == 0u) { return; }
  let group = id.x + id.y * groups.x;`;

interface OutputSizes { readonly units: number; readonly unitsPerRow: number; readonly columns: number; readonly lanes: number }

export const sizes = ({ output }: SpecializedKernel): OutputSizes => ({
  units: wordCount(output) * UNITS_PER_WORD,
  unitsPerRow: wordsPerRow(output) * UNITS_PER_WORD,
  columns: output.columns,
  lanes: lanesPerWord(output.element) / UNITS_PER_WORD,
});

export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
export const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');

/** Writes `value` to `unit` of this iteration's tensor. */
const storeUnit = ({ buffer, stride, iterationUnits }: OutputCode, unit: string, value: string): string => {
  const store = buffer.store(stride === 0 ? unit : `run.iteration * ${stride}u + ${unit}`, value);
  return iterationUnits === undefined ? store : `if (${unit} < run.sideBySide * ${iterationUnits}u) { ${store} }`;
};

/** Statements that store a tile's elements from `firstRow` and `firstColumn`; `valueOf` names them, none being zero. */
export function storesOf(kernel: SpecializedKernel, tile: Pick<Tiling, 'rows' | 'columns'>, valueOf: (row: number, column: number) => string | undefined, output: OutputCode): string[] {
  const { unitsPerRow, columns, lanes } = sizes(kernel);
  const valueAt = (row: number, column: number): string => {
    const value = valueOf(row, column);
    return value === undefined ? '0u' : `select(0u, u32(${value}), firstColumn + ${column}i < ${columns}i)`;
  };
  return range(tile.rows).flatMap((row) => {
    const first = `u32(firstRow + ${row}i) * ${unitsPerRow}u + u32(firstColumn) / ${lanes}u`;
    const units = range(tile.columns / lanes).map((unit) => lanes === 1 ? valueAt(row, unit)
      : range(lanes).map((lane) => `((${valueAt(row, unit * lanes + lane)} & 0xffu) << ${8 * lane}u)`).join(' | '));
    const writes = units.map((value, unit) => storeUnit(output, `${first} + ${unit}u`, value));
    return row === 0 ? writes : [`if (firstRow + ${row}i < ${kernel.output.rows}i) {`, ...writes.map((line) => `  ${line}`), '}'];
  });
}

/** Every invocation computes one unit, its elements one after another. */
export function invocationMain(kernel: SpecializedKernel, reads: ReadFunctions, output: OutputCode): MainCode {
  const { units, unitsPerRow, columns, lanes } = sizes(kernel);
  const emitter = new Emitter({ reads });
  const { lines, values } = emitter.emitAll(kernel.element, [{ row: 'row', column: 'column' }]);
  const value = lanes === 1
    ? `  let column = i32(unit % ${unitsPerRow}u);
  if (column < ${columns}i) { value = u32(element(row, column)); }`
    : `  for (var lane = 0i; lane < ${lanes}i; lane = lane + 1i) {
    let column = i32(unit % ${unitsPerRow}u) * ${lanes}i + lane;
    if (column < ${columns}i) { value = value | ((u32(element(row, column)) & 0xffu) << (u32(lane) * 8u)); }
  }`;
  const functions = `fn element(row: i32, column: i32) -> i32 {
${indented([...lines, `return ${values[0]};`])}
}
${mainOf(WORKGROUP_SIZE)}
  let unit = group * ${WORKGROUP_SIZE}u + local;
  if (unit >= ${units}u) { return; }
  let row = i32(unit / ${unitsPerRow}u);
  var value = 0u;
${value}
  ${storeUnit(output, 'unit', 'value')}
}`;
  return { functions, workgroups: Math.ceil(units / WORKGROUP_SIZE), library: emitter.library };
}

/**
 * Every invocation computes a tile of elements, or a slice of it. Rows and columns past the output are computed as its last, and not stored.
 * Where invocations share reductions, all of them run to the end, past the output's too (on its last tile): barriers need all.
 */
export function tiledMain(kernel: SpecializedKernel, tiling: Tiling, shareFrom: number, reads: ReadFunctions, output: OutputCode): MainCode {
  const { unitsPerRow, columns, lanes } = sizes(kernel);
  const { rows: allRows } = kernel.output;
  const invocations = tiling.tiles * tiling.slices;
  const shares = tiling.slices > 1;
  const emitter = new Emitter({
    reads,
    ...(shares ? { sharing: {
      slices: tiling.slices, invocations, stride: tiling.slicesAdjacent ? 1 : tiling.tiles,
      most: Math.floor(WORKGROUP_MEMORY / (12 * invocations)), isShared: (reduction) => longestOf(kernel, reduction) >= shareFrom,
    } } : {}),
  });
  // Columns beyond the output's width are padding everywhere: nothing is computed for them.
  const computed = range(Math.min(tiling.columns, columns));
  const elements = range(tiling.rows).flatMap((row) => computed.map((column) => ({ row: `row${row}`, column: `column${column}` })));
  const { lines, values } = emitter.emitAll(kernel.element, elements);
  const tilesPerRow = (unitsPerRow * lanes) / tiling.columns;
  const tiles = Math.ceil(allRows / tiling.rows) * tilesPerRow;

  const stores = storesOf(kernel, tiling, (row, column) => (column < computed.length ? values[row * computed.length + column] : undefined), output);
  const functions = [
    ...sharedMemory(emitter.shared, invocations),
    mainOf(invocations),
    indented([
      ...(tiling.slicesAdjacent
        ? [`let slice = local % ${tiling.slices}u;`, `let wanted = group * ${tiling.tiles}u + local / ${tiling.slices}u;`]
        : [`let slice = local / ${tiling.tiles}u;`, `let wanted = group * ${tiling.tiles}u + local % ${tiling.tiles}u;`]),
      ...(shares ? [`let tile = min(wanted, ${tiles - 1}u);`] : [`if (wanted >= ${tiles}u) { return; }`, 'let tile = wanted;']),
      `let firstRow = i32(tile / ${tilesPerRow}u) * ${tiling.rows}i;`,
      `let firstColumn = i32(tile % ${tilesPerRow}u) * ${tiling.columns}i;`,
      ...range(tiling.rows).map((row) => `let row${row} = min(firstRow + ${row}i, ${allRows - 1}i);`),
      ...computed.map((column) => `let column${column} = min(firstColumn + ${column}i, ${columns - 1}i);`),
      ...lines,
      ...(shares ? [`if ((slice != 0u) || (wanted >= ${tiles}u)) { return; }`] : []),
      ...stores,
    ]),
    '}',
  ].join('\n');
  return { functions, workgroups: Math.ceil(tiles / tiling.tiles), library: emitter.library };
}
