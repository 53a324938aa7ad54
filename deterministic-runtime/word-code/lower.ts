import { ExpressionBuilder, Variable, indexVariable, specializedTypeOf } from '../language/builder.ts';
import { MAX_REDUCTION_DEPTH } from '../language/scalar.ts';
import type { SpecializedExpression, SpecializedKernel, SpecializedLoad, SpecializedWord } from '../language/specialized.ts';
import { lanesPerWord, wordsPerRow } from '../program/tensor.ts';

/** A kernel whose reads are addressed as the word machine does: `column` (or `index`) is the element's (or word's) number in the tensor. */
export interface FlatKernel {
  readonly element: SpecializedExpression;
  readonly builder: ExpressionBuilder;
}

/** How many sums and products of an address are taken apart; shared ones count each time. */
const MAX_SPLITS = 256;

/** Loops that a value stands in at least: 0 a whole word, 1 a lane, `level + 2` a reduction's body. */
export function depthOf(builder: ExpressionBuilder, node: SpecializedExpression | SpecializedWord): number {
  const variables = builder.variablesOf(node);
  for (let level = MAX_REDUCTION_DEPTH - 1; level >= 0; level -= 1) if ((variables & indexVariable(level)) !== 0) return level + 2;
  return (variables & Variable.COLUMN) !== 0 ? 1 : 0;
}

/**
 * Replaces rows and columns by one number: `row · stride + column`. The machine gives zero for negative numbers and for
 * those past the tensor's end, and for iterations that are not written; so rows and iterations need no check of their own.
 * A column outside its row would fall into another row: there the number becomes -1.
 */
export function flattenReads(kernel: SpecializedKernel): FlatKernel {
  const builder = new ExpressionBuilder();
  const known = new Map<SpecializedExpression | SpecializedWord, SpecializedExpression | SpecializedWord>();

  const flatten = (node: SpecializedExpression): SpecializedExpression => {
    const seen = known.get(node);
    if (seen !== undefined) return seen as SpecializedExpression;
    const flat = rebuild(node);
    known.set(node, flat);
    return flat;
  };

  function rebuild(node: SpecializedExpression): SpecializedExpression {
    switch (node.kind) {
      case 'constant': return builder.constant(node.type, node.value);
      case 'coordinate': return builder.coordinate(node.of);
      case 'index': return builder.index(node.level);
      case 'load': {
        const { shape } = kernel.operands[node.operand] as SpecializedKernel['operands'][number];
        const stride = wordsPerRow(shape) * lanesPerWord(shape.element);
        return builder.load({ ...flatRead(node), element: node.element, column: address(node, node.column, shape.columns, stride) });
      }
      case 'dot32': return builder.dot32(flattenWord(node.left), flattenWord(node.right));
      case 'binary': return builder.binary(node.operator, node.type, flatten(node.left), flatten(node.right));
      case 'select': return builder.select(node.type, flatten(node.condition), flatten(node.whenTrue), flatten(node.whenFalse));
      case 'requantize': return builder.requantize(flatten(node.accumulator), flatten(node.multiplier), flatten(node.shift));
      case 'convert': return builder.convert(node.to, flatten(node.value));
      case 'reduce': return builder.reduce({ operator: node.operator, type: node.type, level: node.level, bound: node.bound, body: flatten(node.body) });
    }
  }

  function flattenWord(node: SpecializedWord): SpecializedWord {
    const seen = known.get(node);
    if (seen !== undefined) return seen as SpecializedWord;
    const words = wordsPerRow((kernel.operands[node.operand] as SpecializedKernel['operands'][number]).shape);
    const flat = builder.word({ ...flatRead(node), index: address(node, node.index, words, words) });
    known.set(node, flat);
    return flat;
  }

  const flatRead = ({ operand, iteration, latest }: SpecializedLoad | SpecializedWord): Omit<SpecializedWord, 'kind' | 'index'> => ({
    operand, latest, iteration: iteration === null ? null : flatten(iteration),
    row: builder.constant('i32', 0), checkRow: false, checkColumn: false, checkIteration: false,
  });

  /** `positions` columns (or words) of a row exist, and `stride` are stored, those between being zero. */
  function address(read: SpecializedLoad | SpecializedWord, position: SpecializedExpression, positions: number, stride: number): SpecializedExpression {
    const { rows } = (kernel.operands[read.operand] as SpecializedKernel['operands'][number]).shape;
    const row = flatten(read.row);
    const column = flatten(position);
    if (rows === 1 && row.kind === 'constant' && row.value === 0n) return read.checkColumn ? column : ordered(column);
    const small = !read.checkRow && rows * stride <= 2 ** 31;
    const type = small ? 'i32' : 'i64';
    const scaled = builder.binary('mul', type, builder.convert(type, row), builder.constant(type, stride));
    const sum = builder.binary('add', type, scaled, builder.convert(type, column));
    const flat = small ? ordered(sum) : sum;
    if (!read.checkColumn) return flat;
    return builder.select(type, outsideRow(column, positions, stride), builder.constant(type, -1), flat);
  }

  /** Not zero where `column` is outside `[0, limit)`, for some limit between `positions` and `stride`. */
  function outsideRow(column: SpecializedExpression, positions: number, stride: number): SpecializedExpression {
    let power = 1;
    while (power < positions) power *= 2;
    if (power <= stride) return builder.binary('and', 'i32', column, builder.constant('i32', -power));
    const beyond = builder.binary('sub', 'i32', builder.constant('i32', positions - 1), column);
    return builder.binary('lt', 'i32', builder.binary('or', 'i32', beyond, column), builder.constant('i32', 0));
  }

  /**
   * The same sum modulo 2^32, with the terms that vary least first, so that each loop adds only what varies in it.
   * Right for numbers that are known to lie in [0, 2^31).
   */
  function ordered(sum: SpecializedExpression): SpecializedExpression {
    const terms = new Map<SpecializedExpression, bigint>();
    let constant = 0n;
    let splits = 0;
    const collect = (node: SpecializedExpression, factor: bigint): void => {
      if (node.kind === 'constant') {
        constant += factor * node.value;
        return;
      }
      splits += 1;
      const mixed = node.kind === 'binary' && node.type === 'i32' && splits <= MAX_SPLITS;
      if (mixed && (node.operator === 'add' || node.operator === 'sub') && differ(node.left, node.right)) {
        collect(node.left, factor);
        collect(node.right, node.operator === 'add' ? factor : -factor);
      } else if (mixed && node.operator === 'mul' && node.right.kind === 'constant') {
        collect(node.left, factor * node.right.value);
      } else if (mixed && node.operator === 'shl' && node.right.kind === 'constant') {
        collect(node.left, factor << (node.right.value & 31n));
      } else {
        terms.set(node, (terms.get(node) ?? 0n) + factor);
      }
    };
    collect(sum, 1n);
    const sorted = [...terms.entries()].sort(([a], [b]) => depthOf(builder, a) - depthOf(builder, b) || builder.identityOf(a) - builder.identityOf(b));
    const total = sorted.reduce<SpecializedExpression | null>((before, [term, factor], index) => {
      const scaled = builder.binary('mul', 'i32', term, builder.constant('i32', factor));
      const after = before === null ? scaled : builder.binary('add', 'i32', before, scaled);
      return index === 0 ? builder.binary('add', 'i32', after, builder.constant('i32', constant)) : after;
    }, null);
    return total ?? builder.constant('i32', constant);
  }

  const differ = (left: SpecializedExpression, right: SpecializedExpression): boolean =>
    right.kind === 'constant' || depthOf(builder, left) !== depthOf(builder, right);

  const element = flatten(kernel.element);
  if (specializedTypeOf(element) !== 'i32') throw new TypeError(`kernel '${kernel.name}': the element is not i32`);
  return { element, builder };
}
