import type { SpecializedExpression, SpecializedKernel, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { KernelAnalysis } from './kernel-analysis.ts';

/**
 * A sum of dot products of which one side depends on the output's row alone and the other on its column alone: a
 * matrix product or a convolution.
 */
export interface MatrixProduct {
  /** The outermost reduction, and those directly within it. */
  readonly reductions: readonly SpecializedReduction[];
  readonly byRow: SpecializedWord;
  readonly byColumn: SpecializedWord;
}

/** The first such sum in a kernel; null when it has none. */
export function findMatrixProduct({ element }: SpecializedKernel): MatrixProduct | null {
  const analysis = new KernelAnalysis();
  for (const reduction of analysis.reductionsIn(element)) {
    const product = reduction.level === 0 ? productOf(reduction, analysis) : null;
    if (product !== null) return product;
  }
  return null;
}

function productOf(outermost: SpecializedReduction, analysis: KernelAnalysis): MatrixProduct | null {
  const reductions: SpecializedReduction[] = [];
  let body: SpecializedExpression = outermost;
  while (body.kind === 'reduce') {
    if (body.operator !== 'add' || body.type !== 'i32') return null;
    reductions.push(body);
    body = body.body;
  }
  if (body.kind !== 'dot32') return null;
  const [left, right] = [analysis.coordinatesOf(body.left), analysis.coordinatesOf(body.right)];
  if (!left.has('column') && !right.has('row')) return { reductions, byRow: body.left, byColumn: body.right };
  if (!left.has('row') && !right.has('column')) return { reductions, byRow: body.right, byColumn: body.left };
  return null;
}
