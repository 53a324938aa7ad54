import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';

/**
 * The same elements in the same order under another shape (ONNX `Reshape`, `Flatten`); rows are padded to words, so this moves bytes:
 * `y[r][c] = x[n div Cx][n mod Cx]` with `n = r · Cy + c`.
 *
 * Shapes: x i8 [Rx][Cx], y i8 [Ry][Cy], Rx·Cx = Ry·Cy.
 */
export const reshape = kernel('reshape', {
  operands: { x: i8 },
  output: i8,
  element: ({ row, column, output, operands: { x } }) => {
    const index = row.mul(output.columns).add(column);
    return x.at(index.div(x.columns), index.mod(x.columns));
  },
});

/** Rows become columns: `y[r][c] = x[c][r]`. Shapes: x i8 [C][R], y i8 [R][C]. */
export const transpose = kernel('transpose', {
  operands: { x: i8 },
  output: i8,
  element: ({ row, column, operands: { x } }) => x.at(column, row),
});

/**
 * Any order of up to four axes (ONNX `Transpose`; NCHW ↔ NHWC): the element whose coordinates in the new order are (i0, i1, i2, i3), each
 * below `size0 … size3`, is x's element number `i0·stride0 + i1·stride1 + i2·stride2 + i3·stride3` in row-major order.
 *
 * Shapes: x i8 [Rx][Cx], y i8 [Ry][Cy], both of size0·size1·size2·size3 elements.
 */
export const permute = kernel('permute', {
  operands: { x: i8 },
  parameters: ['size1', 'size2', 'size3', 'stride0', 'stride1', 'stride2', 'stride3'],
  output: i8,
  element: ({ row, column, output, operands: { x }, parameters }) => {
    const { size1, size2, size3, stride0, stride1, stride2, stride3 } = parameters;
    const index = row.mul(output.columns).add(column);
    const source = index.mod(size3).mul(stride3)
      .add(index.div(size3).mod(size2).mul(stride2))
      .add(index.div(size3.mul(size2)).mod(size1).mul(stride1))
      .add(index.div(size3.mul(size2).mul(size1)).mul(stride0));
    return x.at(source.div(x.columns), source.mod(x.columns));
  },
});

/**
 * A border of `fill` around an image (ONNX `Pad`, constant, spatial): `y[Y·W'+X][c] = x[(Y−top)·W + (X−left)][c]`, or `fill` outside x.
 *
 * Shapes: x i8 [height·width][C], y i8 [H'·outputWidth][C].
 */
export const pad = kernel('pad', {
  operands: { x: i8 },
  parameters: ['height', 'width', 'outputWidth', 'top', 'left', 'fill'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters: { height, width, outputWidth, top, left, fill } }) => {
    const y = row.div(outputWidth).sub(top);
    const across = row.mod(outputWidth).sub(left);
    const inside = y.lt(0).or(height.le(y)).or(across.lt(0)).or(width.le(across)).eq(0);
    return inside.select(x.at(inside.select(y.mul(width).add(across), -1), column), fill);
  },
});
