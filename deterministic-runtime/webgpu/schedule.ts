import type { SpecializedKernel, SpecializedReduction } from '../language/specialized.ts';
import { lanesPerWord, wordCount } from '../program/tensor.ts';
import { KernelAnalysis } from './kernel-analysis.ts';
import type { Node } from './kernel-analysis.ts';
import { findMatrixProduct } from './matrix-product.ts';
import { UNITS_PER_WORD } from './wgsl-buffers.ts';

/**
 * `invocation`: each invocation computes one 32-bit unit of the output (four i8 elements, or an i32). `tile`: each computes a tile of elements
 * that read the same things, which are then loaded once: matrix products, convolutions. `block`: a workgroup computes 32 × 32 elements of a
 * matrix product from words in its memory (`wgsl-block.ts`). `workgroup`: the invocations of a workgroup share long
 * reductions, next to each other reading what lies next to each other, which keeps a GPU busy where the output is small and its
 * memory where weights are read once. Kernels that have nothing to gain fall back to `invocation`. All give the same bits, since reductions are
 * associative and commutative.
 */
export type Schedule = 'invocation' | 'tile' | 'block' | 'workgroup';

/** How elements and terms of reductions are divided among invocations. */
export interface Tiling {
  /** Elements that an invocation computes: `rows` × `columns`. */
  readonly rows: number;
  readonly columns: number;
  /** Invocations that share a tile's reductions: a power of two. */
  readonly slices: number;
  /** Tiles in a workgroup. */
  readonly tiles: number;
  /** Whether neighbouring invocations are slices of one tile; else tiles beside each other. */
  readonly slicesAdjacent: boolean;
}

/*
 * The thresholds, all reasoned about (`npm run bench:webgpu` on a GPU shows which to change):
 * invocations in a workgroup are a multiple of every GPU's subgroup (32 or 64) and within the portable limits, 256 and 16 KiB of memory.
 */

/** Invocations of a workgroup that shares nothing. */
export const WORKGROUP_SIZE = 64;
/** A tile's side: 16 accumulators and 8 words of 8 registers each stay below the 128 registers at which GPUs run fewer workgroups at once. */
const TILE_SIDE = 4;
/** Shortest reduction that is shared by default: two terms for each of the fewest slices. */
export const SHARE_FROM = 32;
const FEWEST_SLICES = 16;
/** A slice has at least two terms, so that two loads are under way, and a row of weights is read by 64 invocations: 2 KiB at a time. */
const MOST_SLICES = 64;
/** Slices where there are few outputs: a sum over one row, an arg-max. */
const MOST_SLICES_OF_FEW = 256;
/** Outputs, in elements, that are few: with 64 slices each they are not a wave on a large GPU. */
const FEW_OUTPUTS = 64;
/** Tiles beside each other where those, not the slices, read neighbouring addresses: a subgroup's worth. */
const ADJACENT_TILES = 32;
/** Elements of output from which a tile an invocation keeps a GPU busy: 2^14 / 16 are 1,024 invocations. */
const LARGE_OUTPUT = 2 ** 14;
/** A block's side, and the output from which blocks keep a GPU busy: 64 workgroups. */
const BLOCK_SIDE = 32;
const BLOCK_OUTPUT = 2 ** 16;
/** What may be written out for a tile, in instructions or so: compilers take long over more. */
const MOST_INSTRUCTIONS = 2048;

/**
 * The schedule for a kernel on an adapter. A driver on the processor compiles tiles ten times as slowly, and barriers cost it more than
 * they save. On a GPU, tiles pay where weights are read for several rows; where each is read once, what counts is that loads are coalesced.
 */
export function chooseSchedule(kernel: SpecializedKernel, { isSoftware }: { readonly isSoftware: boolean }): Schedule {
  if (isSoftware) return 'invocation';
  const { rows, columns } = kernel.output;
  const reuse = reuseOf(kernel);
  if (rows >= BLOCK_SIDE && columns >= BLOCK_SIDE && rows * columns >= BLOCK_OUTPUT && isOneProduct(kernel)) return 'block';
  if (reuse.rows && reuse.columns && rows >= TILE_SIDE && rows * columns >= LARGE_OUTPUT) return 'tile';
  return 'workgroup';
}

/** How a schedule divides a kernel's work; null where that is an invocation a unit. `shareFrom`: the shortest reduction that is shared. */
export function tilingFor(kernel: SpecializedKernel, schedule: Schedule, shareFrom = SHARE_FROM): Tiling | null {
  if (schedule === 'invocation' || schedule === 'block') return null;
  const { output } = kernel;
  const lanes = lanesPerWord(output.element) / UNITS_PER_WORD;
  const reuse = reuseOf(kernel);
  const instructions = instructionsOf(kernel);
  const affordable = (elements: number): boolean => elements * instructions <= MOST_INSTRUCTIONS;
  if (!affordable(lanes)) return null;
  if (schedule === 'tile') {
    if (!reuse.rows && !reuse.columns) return null;
    const columns = reuse.columns && affordable(TILE_SIDE) ? TILE_SIDE : lanes;
    const rows = reuse.rows && affordable(columns * TILE_SIDE) ? Math.min(TILE_SIDE, output.rows) : 1;
    return rows * columns === lanes && lanes === 1 ? null : { rows, columns, slices: 1, tiles: WORKGROUP_SIZE, slicesAdjacent: false };
  }
  const longest = longestReduction(kernel);
  if (longest < shareFrom) return null;
  // A row of one word is one tile, so that what does not depend on the column is computed once.
  const oneWord = lanes === 1 && output.columns <= UNITS_PER_WORD && affordable(output.columns);
  const columns = oneWord ? UNITS_PER_WORD : reuse.columns && output.columns >= FEW_OUTPUTS && affordable(TILE_SIDE) ? TILE_SIDE : lanes;
  if (!readsAlongReductions(kernel)) {
    const slices = MOST_SLICES_OF_FEW / ADJACENT_TILES;
    return { rows: 1, columns, slices, tiles: ADJACENT_TILES, slicesAdjacent: false };
  }
  const few = wordCount(output) * lanesPerWord(output.element) <= FEW_OUTPUTS;
  const slices = Math.min(2 ** Math.floor(Math.log2(Math.max(FEWEST_SLICES, longest / 2))), few ? MOST_SLICES_OF_FEW : MOST_SLICES);
  return { rows: 1, columns, slices, tiles: Math.max(1, WORKGROUP_SIZE / slices), slicesAdjacent: true };
}

/** Whether a matrix product is all that is summed: of several (planes of bytes), a tile loads what they have in common once. */
function isOneProduct(kernel: SpecializedKernel): boolean {
  const analysis = new KernelAnalysis();
  return findMatrixProduct(kernel) !== null && analysis.reductionsIn(kernel.element).filter((reduction) => analysis.levelsOf(reduction).size === 0).length === 1;
}

/** Roughly how many instructions an element is: 64-bit products and quotients are long in 32-bit arithmetic. */
function instructionsOf({ element }: SpecializedKernel): number {
  const cost = (node: Node): number => {
    if (node.kind === 'requantize') return 40;
    if (node.kind === 'binary' && (node.operator === 'div' || node.operator === 'mod')) return node.type === 'i64' ? 400 : 10;
    if (node.kind === 'binary' && node.type === 'i64') return node.operator === 'mul' ? 20 : 4;
    return node.kind === 'dot32' ? 10 : node.kind === 'load' || node.kind === 'word' ? 5 : 1;
  };
  return [...new KernelAnalysis().nodesIn(element)].reduce((instructions, node) => instructions + cost(node), 0);
}

/** Most terms that a reduction has. */
export const longestOf = ({ maxIterations }: SpecializedKernel, { bound }: SpecializedReduction): number => bound.base + bound.perIteration * maxIterations;

/** Terms of the longest outermost reduction. */
function longestReduction(kernel: SpecializedKernel): number {
  const analysis = new KernelAnalysis();
  const outermost = analysis.reductionsIn(kernel.element).filter((reduction) => analysis.levelsOf(reduction).size === 0);
  return Math.max(0, ...outermost.map((reduction) => longestOf(kernel, reduction)));
}

/** Reads within reductions: those that a tile of rows, or of columns, shares. */
function reuseOf(kernel: SpecializedKernel): { readonly rows: boolean; readonly columns: boolean } {
  const analysis = new KernelAnalysis();
  const reads = readsInReductions(kernel, analysis);
  return {
    rows: reads.some((read) => !analysis.coordinatesOf(read).has('row')),
    columns: reads.some((read) => !analysis.coordinatesOf(read).has('column')),
  };
}

function readsInReductions({ element }: SpecializedKernel, analysis: KernelAnalysis): Extract<Node, { readonly kind: 'load' | 'word' }>[] {
  return [...analysis.nodesIn(element)].filter((node) => node.kind === 'load' || node.kind === 'word').filter((read) => analysis.levelsOf(read).size > 0);
}

/** Whether most reads within reductions move along a row with a reduction's index, rather than with the output's column. */
function readsAlongReductions(kernel: SpecializedKernel): boolean {
  const analysis = new KernelAnalysis();
  const positions = readsInReductions(kernel, analysis).map((read) => (read.kind === 'word' ? read.index : read.column));
  const along = positions.filter((position) => analysis.levelsOf(position).size > 0).length;
  const across = positions.filter((position) => analysis.levelsOf(position).size === 0 && analysis.coordinatesOf(position).has('column')).length;
  return along >= across;
}
