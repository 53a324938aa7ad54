import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';

/*
 * Sixteen-bit numbers as two planes of bytes, so that dot products of bytes multiply them: `x = 256 · high + low`, both signed, for x in −2^15 − 128 … 2^15 − 129.
 * Shapes: x i32 [R][C], y i8 [R][C].
 */

/** `high = (x + 128) >> 8`, cut to a byte. */
export const highPlane = kernel('high-plane', {
  operands: { x: i32 },
  output: i8,
  element: ({ row, column, operands: { x } }) => x.at(row, column).add(128).shr(8).clamp(-128, 127),
});

/** `low`: the low byte, with its sign. */
export const lowPlane = kernel('low-plane', {
  operands: { x: i32 },
  output: i8,
  element: ({ row, column, operands: { x } }) => x.at(row, column),
});
