import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/** An activation `x · T(x)` tabulates T at steps of 2^-STEP_BITS from −RANGE to RANGE, with TABLE_BITS behind the point. */
export const STEP_BITS = 6;
export const RANGE = 16;
export const TABLE_BITS = 30;

/** `x · T(x)`, T interpolated linearly and constant beyond its table; x and the result have 16 bits behind the point. */
function activation(x: I32, table: TensorOperand): I32 {
  const place = x.clamp(-RANGE * 65536, RANGE * 65536 - 1).add(RANGE * 65536);
  const index = place.shr(16 - STEP_BITS);
  const fraction = place.and((1 << (16 - STEP_BITS)) - 1);
  const below = table.at(index);
  const factor = below.add(table.at(index.add(1)).sub(below).shr(16 - STEP_BITS).mul(fraction));
  return x.wide().mul(factor.wide()).add(1 << (TABLE_BITS - 1)).shr(TABLE_BITS).narrow();
}

/**
 * SwiGLU's gate (arXiv 2002.05202): `y[c] = a(x[c]) · x[C + c]` with `a(x) = x · T(x)`.
 *
 * Shapes: x i32 [1][2·C], table i32 [1][2 · RANGE · 2^STEP_BITS + 1], y i32 [1][C].
 */
export const gated = kernel('gated', {
  operands: { x: i32, table: i32 },
  output: i32,
  element: ({ column, output, operands: { x, table } }) => {
    const gate = activation(x.at(0, column), table);
    return gate.wide().mul(x.at(0, output.columns.add(column)).wide()).add(1 << 15).shr(16).clamp(-0x8000_0000, 0x7fff_ffff).narrow();
  },
});

/** An activation by itself: `y[c] = x[c] · T(x[c])`. Shapes: x i32 [1][C], table as in `gated`, y i32 [1][C]. */
export const activated = kernel('activated', {
  operands: { x: i32, table: i32 },
  output: i32,
  element: ({ column, operands: { x, table } }) => activation(x.at(0, column), table),
});
