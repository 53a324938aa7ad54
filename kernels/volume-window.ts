import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { placed, roundedQuotient, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/*
 * Windows over batches of volumes (images are volumes of depth 1, signals also of height 1): voxel (n, z, y, x) is row `((n · depth + z) · height + y) · width + x`, channels are columns.
 */

/** For each of z, y, x: sizes of the input, the output and the kernel, stride, dilation, and the padding before. */
export const volumeParameters = ['Z', 'Y', 'X'].flatMap((axis) => ['input', 'output', 'kernel', 'stride', 'dilation', 'pad'].map((what) => `${what}${axis}`));

type Parameters = Readonly<Record<string, I32>>;
const of = (parameters: Parameters, name: string): I32 => parameters[name] as I32;

/** The input row of tap (kz, ky, kx) of the window of output row `row`, and whether it is inside. */
function volumeTap(p: Parameters, row: I32, taps: readonly [I32, I32, I32]): { readonly row: I32; readonly inside: I32 } {
  const x = row.mod(of(p, 'outputX'));
  const aboveX = row.div(of(p, 'outputX'));
  const y = aboveX.mod(of(p, 'outputY'));
  const aboveY = aboveX.div(of(p, 'outputY'));
  const at = [aboveY.mod(of(p, 'outputZ')), y, x] as const;
  let source = aboveY.div(of(p, 'outputZ'));
  let inside = int32(1);
  (['Z', 'Y', 'X'] as const).forEach((axis, index) => {
    const coordinate = (at[index] as I32).mul(of(p, `stride${axis}`)).sub(of(p, `pad${axis}`)).add((taps[index] as I32).mul(of(p, `dilation${axis}`)));
    inside = inside.and(int32(0).le(coordinate)).and(coordinate.lt(of(p, `input${axis}`)));
    source = source.mul(of(p, `input${axis}`)).add(coordinate);
  });
  return { row: source, inside };
}

/**
 * Windows as rows, so that a linear layer computes a convolution: `y[r][tap · C + c] = x[tap's row][from + c]`, or `fill` outside; a group of `C` channels begins at column `from` of x.
 *
 * Shapes: x [N·D·H·W][channels], y [N·D'·H'·W'][taps·C].
 */
export const volumePatches = remembered((element: ElementType): Kernel =>
  kernel(`volume-patches-${element}`, {
    operands: { x: element },
    parameters: [...volumeParameters, 'channels', 'from', 'fill'],
    output: element,
    element: ({ row, column, operands: { x }, parameters }) => {
      const p = parameters as Parameters;
      const [kernelX, kernelY] = [of(p, 'kernelX'), of(p, 'kernelY')];
      const tap = column.div(of(p, 'channels'));
      const { row: source, inside } = volumeTap(p, row, [tap.div(kernelX.mul(kernelY)), tap.div(kernelX).mod(kernelY), tap.mod(kernelX)]);
      return inside.select(x.at(inside.select(source, -1), column.mod(of(p, 'channels')).add(of(p, 'from'))), of(p, 'fill'));
    },
  }));

const overTaps = (p: Parameters, reduce: typeof sum, row: I32, value: (tap: { readonly row: I32; readonly inside: I32 }) => I32): I32 =>
  reduce(of(p, 'kernelZ'), (kz) => reduce(of(p, 'kernelY'), (ky) => reduce(of(p, 'kernelX'), (kx) => value(volumeTap(p, row, [kz, ky, kx])))));

/** Greatest of the window's taps inside, `fill` where there is none. Shapes: x [N·D·H·W][C], y [N·D'·H'·W'][C]. */
export const volumeMaximum = remembered((element: ElementType): Kernel =>
  kernel(`volume-maximum-${element}`, {
    operands: { x: element },
    parameters: [...volumeParameters, 'fill'],
    output: element,
    element: ({ row, column, operands: { x }, parameters }) => {
      const p = parameters as Parameters;
      return overTaps(p, maximum, row, ({ row: source, inside }) => inside.select(x.at(inside.select(source, -1), column), of(p, 'fill')));
    },
  }));

/**
 * Mean of a window on the output's scale: `y = clamp(round(Σ (x − xZero) · multiplier / (n · 2^shift)) + zeroPoint, low, high)`, halves away from zero, where n
 * is the count of taps for the place (those inside, or all that the model counts), from a table.
 *
 * Shapes: x [N·D·H·W][C], counts i32 [1][D'·H'·W'], y [N·D'·H'·W'][C].
 */
export const volumeMean = remembered(({ x: element, output }: { readonly x: ElementType; readonly output: ElementType }): Kernel =>
  kernel(`volume-mean-${element}-${output}`, {
    operands: { x: element, counts: 'i32' },
    parameters: [...volumeParameters, 'xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, counts }, parameters }) => {
      const p = parameters as Parameters;
      const total = overTaps(p, sum, row, ({ row: source, inside }) => inside.select(x.at(inside.select(source, -1), column).sub(of(p, 'xZero')), 0));
      const n = counts.at(row.mod(counts.columns));
      return placed(roundedQuotient(total.wide().mul(of(p, 'multiplier').wide()), n.wide().shl(of(p, 'shift').wide())), p as { zeroPoint: I32; low: I32; high: I32 });
    },
  }));

/**
 * Depthwise convolution: `y[r][c] = clamp((acc · multiplier[c] + half) >> shift[c] + zeroPoint, low, high)`, `acc = Σ_taps (x[tap's row][c] − xZero) · w[tap][c] + bias[c]` over the taps
 * inside; 64-bit products, multipliers below 2^24.
 *
 * Shapes: x [N·D·H·W][C], w i8 [taps][C], bias i32 [1][C], scale i32 [2][C], y [N·D'·H'·W'][C].
 */
export const volumeDepthwise = remembered(({ x: element, output }: { readonly x: ElementType; readonly output: ElementType }): Kernel =>
  kernel(`volume-depthwise-${element}-${output}`, {
    operands: { x: element, w: 'i8', bias: 'i32', scale: requantization },
    parameters: [...volumeParameters, 'xZero', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
      const p = parameters as Parameters;
      const dot = sum(of(p, 'kernelZ'), (kz) => sum(of(p, 'kernelY'), (ky) => sum(of(p, 'kernelX'), (kx) => {
        const { row: source, inside } = volumeTap(p, row, [kz, ky, kx]);
        const value = inside.select(x.at(inside.select(source, -1), column).sub(of(p, 'xZero')), 0);
        return value.mul(w.at(kz.mul(of(p, 'kernelY')).add(ky).mul(of(p, 'kernelX')).add(kx), column));
      })));
      const { multiplier, shift } = scale.at(column);
      return placed(scaled(dot.wide().add(bias.at(column).wide()), multiplier, shift), p as { zeroPoint: I32; low: I32; high: I32 });
    },
  }));
