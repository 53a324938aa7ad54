import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/** What a strided copy is generated for. */
export interface StridedCopyForm {
  readonly element: ElementType;
  /** Axes that an output row's number splits into, the first one varying slowest. */
  readonly rowAxes: number;
  /** Axes that an output column's number splits into. */
  readonly columnAxes: number;
  /** `aligned`: an axis moves by rows and by columns of x. `flat`: by elements of x in row-major order. */
  readonly source: 'aligned' | 'flat';
  /** Axes have bounds, and outside of them the output is `fill`. */
  readonly bounded: boolean;
}

/** Name of a parameter of an axis; rows' axes are `r0 …`, columns' axes `c0 …`. */
export const axisParameter = (what: 'size' | 'rowStep' | 'columnStep' | 'step' | 'low' | 'high', axis: string): string => `${what}_${axis}`;

/** The axes of a form, by name: the rows' first. */
export const axesOf = ({ rowAxes, columnAxes }: Pick<StridedCopyForm, 'rowAxes' | 'columnAxes'>): string[] => [
  ...Array.from({ length: rowAxes }, (_, axis) => `r${axis}`),
  ...Array.from({ length: columnAxes }, (_, axis) => `c${axis}`),
];

/**
 * Elements of x read with a stride for each axis of the output: what transposes, slices, expansions, tiles, flips and paddings are (ONNX `Transpose`,
 * `Slice`, `Split`, `Expand`, `Tile`, `Pad`, `DepthToSpace`, …).
 *
 * The output's row number splits into coordinates `i_r0, i_r1, …` below `size_r0, …`, and its column number into `i_c0, …`; with `i_a` for each axis a:
 * - aligned: `y = x[rowOffset + Σ i_a · rowStep_a][columnOffset + Σ i_a · columnStep_a]`;
 * - flat: `y` = x's element number `offset + Σ i_a · step_a`, in row-major order without padding;
 * - bounded: that where `low_a ≤ i_a < high_a` for every axis, and `fill` elsewhere.
 *
 * Shapes: x [Rx][Cx], y [Π size_r][Π size_c], both of the form's element type.
 */
export const stridedCopy = remembered((form: StridedCopyForm): Kernel => {
  const { element, rowAxes, columnAxes, source, bounded } = form;
  const axes = axesOf(form);
  const inner = axes.filter((axis) => axis !== 'r0' && axis !== 'c0').map((axis) => axisParameter('size', axis));
  const steps = axes.flatMap((axis) => (source === 'flat' ? [axisParameter('step', axis)] : [axisParameter('rowStep', axis), axisParameter('columnStep', axis)]));
  const bounds = bounded ? [...axes.flatMap((axis) => [axisParameter('low', axis), axisParameter('high', axis)]), 'fill'] : [];
  return kernel(`strided-copy-${source}${bounded ? '-bounded' : ''}-${rowAxes}-${columnAxes}-${element}`, {
    operands: { x: element },
    parameters: [...inner, ...steps, ...(source === 'flat' ? ['offset'] : ['rowOffset', 'columnOffset']), ...bounds],
    output: element,
    element: ({ row, column, operands: { x }, parameters }) => {
      const parameter = (name: string): I32 => parameters[name] as I32;
      const coordinates = new Map([...split(row, 'r', rowAxes, parameter), ...split(column, 'c', columnAxes, parameter)]);
      const total = (what: 'rowStep' | 'columnStep' | 'step', offset: I32): I32 =>
        axes.reduce((sum, axis) => sum.add((coordinates.get(axis) as I32).mul(parameter(axisParameter(what, axis)))), offset);
      const inside = axes.reduce((all, axis) => {
        const coordinate = coordinates.get(axis) as I32;
        return bounded ? all.and(parameter(axisParameter('low', axis)).le(coordinate)).and(coordinate.lt(parameter(axisParameter('high', axis)))) : all;
      }, int32(1));
      if (source === 'aligned') {
        const sourceRow = total('rowStep', parameter('rowOffset'));
        const value = x.at(bounded ? inside.select(sourceRow, -1) : sourceRow, total('columnStep', parameter('columnOffset')));
        return bounded ? inside.select(value, parameter('fill')) : value;
      }
      const flat = total('step', parameter('offset'));
      const value = x.at(flat.div(x.columns), flat.mod(x.columns));
      return bounded ? inside.select(value, parameter('fill')) : value;
    },
  });
});

/** The coordinates that a number splits into; the first axis takes what is left, so its size is not needed. */
function split(number: I32, prefix: 'r' | 'c', count: number, parameter: (name: string) => I32): [string, I32][] {
  const coordinates: [string, I32][] = [];
  let below = int32(1);
  for (let axis = count - 1; axis >= 0; axis -= 1) {
    const size = axis === 0 ? null : parameter(axisParameter('size', `${prefix}${axis}`));
    const quotient = number.div(below);
    coordinates.push([`${prefix}${axis}`, size === null ? quotient : quotient.mod(size)]);
    if (size !== null) below = below.mul(size);
  }
  return coordinates;
}
