import type { SpecializedKernel, SpecializedReduction } from '../language/specialized.ts';
import type { MatrixProduct } from './matrix-product.ts';
import { Emitter } from './wgsl-emitter.ts';
import { indented, mainOf, range, sizes, storesOf } from './wgsl-main.ts';
import type { MainCode, OutputCode } from './wgsl-main.ts';
import type { ReadFunctions } from './wgsl-reads.ts';

/** Elements of an invocation, and invocations of a block, along each side. */
const SIDE = 4;
const GROUP = 8;
const BLOCK = SIDE * GROUP;
const INVOCATIONS = GROUP * GROUP;
/** Words of each row that are in workgroup memory at a time: 128 bytes, a cache line of most GPUs. */
const DEPTH = 4;
/** Vectors of four units from one depth to the next: one more than the rows, so that what lies beside each other in a row goes to different banks. */
const STRIDE = BLOCK + 1;

/**
 * A workgroup computes a block of 32 × 32 elements of a matrix product, each invocation 4 × 4 of them: the words that the block
 * needs come to workgroup memory once, 128 bytes of each row at a time, and serve 32 rows or columns.
 */
export function blockMain(kernel: SpecializedKernel, product: MatrixProduct, reads: ReadFunctions, output: OutputCode): MainCode {
  const { unitsPerRow, columns, lanes } = sizes(kernel);
  const { rows: allRows } = kernel.output;
  const emitter = new Emitter({ reads });
  const staged = ([['x', product.byRow], ['w', product.byColumn]] as const).flatMap(([name, word]) =>
    range(BLOCK * DEPTH / INVOCATIONS).map((part) => ({ name, part, word, coordinates: { row: `stageRow${part}`, column: `stageColumn${part}` } })));
  const { scopes, addresses } = emitter.emitWords(product.reductions, staged);
  const totals = range(SIDE).flatMap((row) => range(SIDE).map((column) => `total${row}_${column}`));

  // The invocation's word within the rows that it fetches is fixed; beyond the reduction's end it brings zeros.
  const innermost = product.reductions.length - 1;
  const { level, bound } = product.reductions[innermost] as SpecializedReduction;
  const limitOf = ({ base, perIteration }: SpecializedReduction['bound']): string => (perIteration === 0 ? `${base}i` : `${base}i + ${perIteration}i * i32(run.iteration)`);
  const stage = [
    `let wanted${level} = base + i32(local % ${DEPTH}u);`,
    `let k${level} = min(wanted${level}, ${limitOf(bound)} - 1i);`,
    ...(scopes[innermost + 1] ?? []),
    ...staged.flatMap(({ name, part, word }, index) => [
      `let ${name}Staged${part} = ${reads.fetch(word, true)}(select(0xffffffffu, ${addresses[index]}, wanted${level} < ${limitOf(bound)}));`,
      ...['low', 'high'].map((half, number) => `${name}Block[(local % ${DEPTH}u) * ${2 * STRIDE}u + ${number * STRIDE}u + place${part}] = ${name}Staged${part}.${half};`),
    ]),
  ];
  const multiply = [
    `for (var part = 0u; part < ${2 * DEPTH}u; part = part + 1u) {`,
    // Rows that an invocation needs lie 8 apart, so neighbouring invocations read neighbouring vectors.
    ...range(SIDE).map((row) => `  let x${row} = xBlock[part * ${STRIDE}u + ${row * GROUP}u + local / ${GROUP}u];`),
    ...range(SIDE).map((column) => `  let w${column} = wBlock[part * ${STRIDE}u + ${column * GROUP}u + local % ${GROUP}u];`),
    ...range(SIDE).flatMap((row) => range(SIDE).map((column) => `  total${row}_${column} = total${row}_${column} + ${reads.dotVectors()}(x${row}, w${column});`)),
    '}',
  ];
  let loops = [
    `for (var base = 0i; base < ${limitOf(bound)}; base = base + ${DEPTH}i) {`,
    ...['{', ...stage, '}', 'workgroupBarrier();', ...multiply, 'workgroupBarrier();'].map((line) => `  ${line}`),
    '}',
  ];
  for (let depth = innermost - 1; depth >= 0; depth -= 1) {
    const reduction = product.reductions[depth] as SpecializedReduction;
    const index = `k${reduction.level}`;
    loops = [`for (var ${index} = 0i; ${index} < ${limitOf(reduction.bound)}; ${index} = ${index} + 1i) {`, ...[...(scopes[depth + 1] ?? []), ...loops].map((line) => `  ${line}`), '}'];
  }

  const elements = range(SIDE).flatMap((row) => range(SIDE).map((column) => ({ row: `row${row}`, column: `column${column}` })));
  const { lines, values } = emitter.emitAll(kernel.element, elements, { node: product.reductions[0] as SpecializedReduction, names: totals });
  const paddedColumns = unitsPerRow * lanes;
  const [blockRows, blockColumns] = [Math.ceil(allRows / BLOCK), Math.ceil(paddedColumns / BLOCK)];
  const functions = [
    `var<workgroup> xBlock: array<vec4<u32>, ${2 * DEPTH * STRIDE}>;`,
    `var<workgroup> wBlock: array<vec4<u32>, ${2 * DEPTH * STRIDE}>;`,
    mainOf(INVOCATIONS),
    indented([
      // A dispatch that is folded into two dimensions has some workgroups too many: they compute the last block again.
      `let block = min(group, ${blockRows * blockColumns - 1}u);`,
      `let blockRow = i32(block / ${blockColumns}u) * ${BLOCK}i;`,
      `let blockColumn = i32(block % ${blockColumns}u) * ${BLOCK}i;`,
      ...range(BLOCK * DEPTH / INVOCATIONS).flatMap((part) => [
        `let line${part} = local / ${DEPTH}u + ${part * (INVOCATIONS / DEPTH)}u;`,
        `let place${part} = (line${part} % ${SIDE}u) * ${GROUP}u + line${part} / ${SIDE}u;`,
        `let stageRow${part} = min(blockRow + i32(line${part}), ${allRows - 1}i);`,
        `let stageColumn${part} = min(blockColumn + i32(line${part}), ${columns - 1}i);`,
      ]),
      ...totals.map((total) => `var ${total} = 0i;`),
      ...(scopes[0] ?? []),
      ...loops,
      `let firstRow = blockRow + i32(local / ${GROUP}u) * ${SIDE}i;`,
      `let firstColumn = blockColumn + i32(local % ${GROUP}u) * ${SIDE}i;`,
      `if ((firstRow >= ${allRows}i) || (firstColumn >= ${paddedColumns}i)) { return; }`,
      ...range(SIDE).map((row) => `let row${row} = min(firstRow + ${row}i, ${allRows - 1}i);`),
      ...range(SIDE).map((column) => `let column${column} = min(firstColumn + ${column}i, ${columns - 1}i);`),
      ...lines,
      ...storesOf(kernel, { rows: SIDE, columns: SIDE }, (row, column) => values[row * SIDE + column], output),
    ]),
    '}',
  ].join('\n');
  return { functions, workgroups: blockRows * blockColumns, library: emitter.library };
}
