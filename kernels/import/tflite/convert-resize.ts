import { ImportError } from '../import-error.ts';
import { nearestEven, requireOneScale } from './convert-elementwise.ts';
import { gatherAxes } from './convert-movement.ts';
import { describe, requireDims } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { imageSize } from './windows.ts';

/** How output pixels fall on input ones. */
interface Mode { readonly alignCorners: boolean; readonly halfPixels: boolean }

function resized(conversion: Conversion, operator: TfliteOperator, field: number): { readonly x: IntegerTensor; readonly y: IntegerTensor; readonly mode: Mode } {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  requireOneScale(operator, [x, y]);
  const { batch, channels } = imageSize(operator, x);
  requireDims(operator, y, [batch, ...conversion.dimsGiven(operator, 1, y.dims.slice(1, 3)), channels]);
  return { x, y, mode: { alignCorners: operator.options?.boolean(field, false) ?? false, halfPixels: operator.options?.boolean(field + 1, false) ?? false } };
}

/** `RESIZE_NEAREST_NEIGHBOR` (tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h, in single precision). */
export function convertNearest(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y, mode: { alignCorners, halfPixels } } = resized(conversion, operator, 0);
  const indices = (input: number, output: number): number[] => {
    const scale = alignCorners && output > 1 ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output);
    return Array.from({ length: output }, (_, place) => {
      const at = Math.fround(Math.fround(place + (halfPixels ? 0.5 : 0)) * scale);
      return Math.max(0, Math.min(input - 1, alignCorners ? Math.round(at) : Math.floor(at)));
    });
  };
  gatherAxes(conversion, x, y, [1, 2].map((axis) => ({ axis, indices: indices(x.dims[axis] ?? 1, y.dims[axis] ?? 1) })));
}

/** Two source pixels and a fraction for each output pixel along an axis. */
type Places = (readonly [first: number, second: number, fraction: number])[];

/** `RESIZE_BILINEAR` of bytes. */
export function convertBilinear(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y, mode } = resized(conversion, operator, 2);
  if (x.type !== 'int8') throw new ImportError(`${describe(operator)}: of ${x.tensor.type} it is not supported; of bytes it is`);
  const follows = conversion.rounding === 'float32';
  if (!follows && x.offset !== 0) throw new ImportError(`${describe(operator)}: of uint8 it is supported with the rounding float32 only; of int8 with all`);
  const places = follows ? placesOfXnnpack : placesOfReference;
  const axis = (index: number): Places => places(x.dims[index] ?? 1, y.dims[index] ?? 1, mode);
  conversion.append({ kind: 'bilinear', name: y.name, x: x.name, output: y.name, bits: follows ? 11 : 10, vertical: axis(1), horizontal: axis(2) });
}

/** tensorflow/lite/kernels/internal/reference/resize_bilinear.h, `ResizeBilinearInteger`: 10 bits. */
function placesOfReference(input: number, output: number, { alignCorners, halfPixels }: Mode): Places {
  const step = alignCorners && output > 1
    ? Math.floor((1024 * (input - 1) + Math.floor((output - 1) / 2)) / (output - 1))
    : Math.floor((1024 * input + Math.floor(output / 2)) / output);
  return Array.from({ length: output }, (_, place) => {
    const at = place * step + (halfPixels ? Math.trunc(step / 2) - 512 : 0);
    const first = Math.max(Math.trunc(at / 1024), 0);
    return [first, Math.min(Math.trunc((at + 1023) / 1024), input - 1), at - 1024 * first] as const;
  });
}

/** XNNPACK's src/indirection.c, `xnn_indirection_init_resize_bilinear2d_hwc_q11`: positions in single precision, fractions of 11 bits. */
function placesOfXnnpack(input: number, output: number, { alignCorners, halfPixels }: Mode): Places {
  const less = alignCorners && output !== 1 ? 1 : 0;
  const scale = Math.fround(Math.fround(input - less) / Math.fround(output - less));
  const offset = halfPixels && !alignCorners ? Math.fround(Math.fround(0.5 * scale) - 0.5) : 0;
  return Array.from({ length: output }, (_, place) => {
    const at = Math.min(input - 1, Math.max(0, Math.fround(Math.fround(place * scale) + offset)));
    const first = Math.floor(at);
    return [first, Math.min(first + 1, input - 1), nearestEven(Math.fround(at - first) * 2048)] as const;
  });
}
