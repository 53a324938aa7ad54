import type { SpecializedExpression, SpecializedKernel, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { closeLoop, openScope } from './wgsl-emitter.ts';
import type { Coordinates, Emitter, Scope } from './wgsl-emitter.ts';
import { childrenOf } from './wgsl-reads.ts';
import type { ReadFunctions } from './wgsl-reads.ts';

/**
 * A sum of dot products of which one side depends on the output's row alone and the other on its column alone: a
 * matrix product or a convolution. A tile of the output then needs each word once for a whole row or column of it.
 */
export interface MatrixProduct {
  /** The outermost reduction, and those directly within it. */
  readonly reductions: readonly [SpecializedReduction, ...SpecializedReduction[]];
  readonly byRow: SpecializedWord;
  readonly byColumn: SpecializedWord;
}

/** Columns of a tile: the lanes of an i8 unit. */
export const TILE_COLUMNS = 4;
/** Rows of a tile, where the output has that many. */
const TILE_ROWS = 4;

export const tileRows = ({ output }: SpecializedKernel): number => Math.min(TILE_ROWS, output.rows);

/** The first such sum in a kernel; null when it has none. */
export function findMatrixProduct({ element }: SpecializedKernel): MatrixProduct | null {
  const dependsOn = coordinatesOf();
  const seen = new Set<object>();
  const find = (node: SpecializedExpression | SpecializedWord): MatrixProduct | null => {
    if (seen.has(node)) return null;
    seen.add(node);
    const product = node.kind === 'reduce' && node.level === 0 ? productOf(node, dependsOn) : null;
    if (product !== null) return product;
    for (const child of childrenOf(node)) {
      const found = find(child);
      if (found !== null) return found;
    }
    return null;
  };
  return find(element);
}

type DependsOn = (node: SpecializedExpression | SpecializedWord) => ReadonlySet<'row' | 'column'>;

function productOf(outermost: SpecializedReduction, dependsOn: DependsOn): MatrixProduct | null {
  const reductions: [SpecializedReduction, ...SpecializedReduction[]] = [outermost];
  let body: SpecializedExpression = outermost;
  while (body.kind === 'reduce') {
    if (body.operator !== 'add' || body.type !== 'i32') return null;
    if (body !== outermost) reductions.push(body);
    body = body.body;
  }
  if (body.kind !== 'dot32') return null;
  const [left, right] = [dependsOn(body.left), dependsOn(body.right)];
  if (!left.has('column') && !right.has('row')) return { reductions, byRow: body.left, byColumn: body.right };
  if (!left.has('row') && !right.has('column')) return { reductions, byRow: body.right, byColumn: body.left };
  return null;
}

/** Which of the output's coordinates an expression depends on, remembered by node. */
function coordinatesOf(): DependsOn {
  const known = new Map<object, ReadonlySet<'row' | 'column'>>();
  const visit: DependsOn = (node) => {
    const found = known.get(node);
    if (found !== undefined) return found;
    const coordinates = new Set(childrenOf(node).flatMap((child) => [...visit(child)]));
    if (node.kind === 'coordinate' && node.of !== 'iteration') coordinates.add(node.of);
    known.set(node, coordinates);
    return coordinates;
  };
  return visit;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Statements that sum a tile of `rows` × `TILE_COLUMNS` into `total<r>_<c>`, for elements at `row<r>`, `column<c>`. */
export function tileSums({ reductions, byRow, byColumn }: MatrixProduct, rows: number, reads: ReadFunctions, emitter: Emitter): string[] {
  const root = openScope();
  const scopes = reductions.reduce<[Scope, ...Scope[]]>((open, { level }) => [...open, openScope(open.at(-1), level)], [root]);
  const innermost = scopes.at(-1) as Scope;
  const words = (count: number, word: SpecializedWord, name: string, coordinates: (index: number) => Coordinates): void => {
    for (const index of range(count)) {
      const address = emitter.emit(word, innermost, coordinates(index));
      innermost.lines.push(`let ${name}${index} = ${reads.fetch(word)}(${address});`);
    }
  };
  words(rows, byRow, 'x', (index) => ({ row: `row${index}`, column: 'column0' }));
  words(TILE_COLUMNS, byColumn, 'w', (index) => ({ row: 'row0', column: `column${index}` }));
  for (const row of range(rows)) {
    for (const column of range(TILE_COLUMNS)) {
      root.lines.push(`var total${row}_${column} = 0i;`);
      innermost.lines.push(`total${row}_${column} = total${row}_${column} + ${reads.dotWords()}(x${row}, w${column});`);
    }
  }
  for (let depth = reductions.length - 1; depth >= 0; depth -= 1) closeLoop(scopes[depth] as Scope, scopes[depth + 1] as Scope, reductions[depth] as SpecializedReduction);
  return root.lines;
}
