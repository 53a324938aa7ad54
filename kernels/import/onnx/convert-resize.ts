import { ImportError } from '../import-error.ts';
import { describe, float, integer, text } from './attributes.ts';
import { MAXIMUM_ELEMENTS } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import { normalizeAxis } from './convert-shape.ts';
import type { OnnxNode } from './graph.ts';

interface AxisResize {
  readonly axis: number;
  readonly size: number;
  readonly result: number;
  readonly scale: number;
  /** For tf_crop_and_resize: the part of the axis, in units of its length. */
  readonly region: readonly [number, number];
}

/**
 * Resize and Upsample, axis by axis: nearest as a gather, linear and cubic (with antialias too) as weighted sums. Formulas from the operator's specification and its reference
 * implementation (onnx/reference/ops/op_resize.py).
 */
export function convertResize(conversion: Conversion, node: OnnxNode): void {
  const resizes = axisResizes(conversion, node).filter(({ size, result, region }) => size !== result || region[0] !== 0 || region[1] !== 1);
  const old = node.operator === 'Upsample' || conversion.opset < 11;
  const mode = text(node, 'mode', 'nearest');
  const coordinates = old ? 'asymmetric' : text(node, 'coordinate_transformation_mode', 'half_pixel');
  if (!['nearest', 'linear', 'cubic'].includes(mode)) throw new ImportError(`${describe(node)}: mode ${mode} is unknown`);
  let value = conversion.input(node, 0);
  if (resizes.length === 0) conversion.alias(conversion.output(node), value);
  resizes.forEach((resize, index) => {
    const dims = conversion.dimsOf(node, value).map((dim, axis) => (axis === resize.axis ? resize.result : dim));
    const places = Array.from({ length: resize.result }, (_, at) => originalPlace(node, coordinates, resize, at));
    const outside = coordinates === 'tf_crop_and_resize' && places.some((place) => place < 0 || place > resize.size - 1);
    if (outside && float(node, 'extrapolation_value', 0) !== 0) throw new ImportError(`${describe(node)}: an extrapolation_value other than 0 is not supported`);
    const skipped = (place: number): boolean => coordinates === 'tf_crop_and_resize' && (place < 0 || place > resize.size - 1);
    const parts = mode === 'nearest'
      ? ({ kind: 'gather', x: value, axis: resize.axis, indices: places.map((place) => (skipped(place) ? -1 : nearest(old ? 'floor' : text(node, 'nearest_mode', 'round_prefer_floor'), place, resize.size))) } as const)
      : ({ kind: 'resampling', x: value, axis: resize.axis, ...taps(node, mode, resize, places, skipped) } as const);
    if (index === resizes.length - 1) conversion.add(node, parts, dims);
    else value = conversion.step(node, `axis${resize.axis}`, parts, dims);
  });
}

function axisResizes(conversion: Conversion, node: OnnxNode): AxisResize[] {
  const dims = conversion.inputDims(node, 0);
  const named = node.attributes.get('axes');
  const axes = Array.isArray(named) ? (named as number[]).map((axis) => normalizeAxis(node, axis, dims.length)) : dims.map((_, axis) => axis);
  const old = node.operator === 'Upsample' || conversion.opset < 11;
  const attribute = node.attributes.get('scales');
  const listed = (index: number, what: string): readonly number[] => (conversion.hasInput(node, index) ? [...conversion.constantInput(node, index, what).data] : []);
  const scales = Array.isArray(attribute) ? (attribute as number[]) : listed(old ? 1 : 2, 'scales');
  const sizes = old ? [] : listed(3, 'sizes');
  const roi = old ? [] : listed(1, 'roi');
  const given = sizes.length > 0 ? sizes : scales;
  if (given.length !== axes.length || !given.every((value) => value > 0 && value <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: [${given.join(', ')}] as sizes or scales of [${dims.join(', ')}]`);
  const policy = text(node, 'keep_aspect_ratio_policy', 'stretch');
  const ratios = sizes.map((size, index) => size / (dims[axes[index] ?? 0] ?? 1));
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis, index): AxisResize => {
    const size = dims[axis] ?? 1;
    const region: [number, number] = roi.length === 2 * axes.length && text(node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize' ? [roi[index] ?? 0, roi[index + axes.length] ?? 1] : [0, 1];
    const scale = sizes.length === 0 ? (scales[index] ?? 1) : policy === 'stretch' ? (ratios[index] ?? 1) : common;
    const result = sizes.length === 0 ? Math.floor(size * scale * (region[1] - region[0])) : policy === 'stretch' ? (sizes[index] ?? 1) : Math.floor(scale * size + 0.5);
    if (!(result >= 1 && result <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: ${size} elements become ${result}`);
    return { axis, size, result, scale, region };
  });
}

/** Where an element of the result comes from, in elements of the original. */
function originalPlace(node: OnnxNode, mode: string, { size, result, scale, region: [start, end] }: AxisResize, at: number): number {
  const exact = scale * size;
  switch (mode) {
    case 'asymmetric': return at / scale;
    case 'half_pixel': return (at + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel': return exact === 1 ? -0.5 : (at + 0.5) / scale - 0.5;
    case 'align_corners': return exact === 1 ? 0 : (at * (size - 1)) / (exact - 1);
    case 'half_pixel_symmetric': return (size / 2) * (1 - result / exact) + (at + 0.5) / scale - 0.5;
    case 'tf_crop_and_resize': return result > 1 ? start * (size - 1) + (at * (end - start) * (size - 1)) / (result - 1) : 0.5 * (start + end) * (size - 1);
    default: throw new ImportError(`${describe(node)}: coordinate_transformation_mode ${mode} is unknown`);
  }
}

function nearest(mode: string, place: number, size: number): number {
  const floor = Math.floor(place);
  const index = mode === 'floor' ? floor : mode === 'ceil' ? Math.ceil(place) : mode === 'round_prefer_ceil' ? Math.floor(place + 0.5) : Math.ceil(place - 0.5);
  return Math.min(Math.max(index, 0), size - 1);
}

/** The elements that each element of the result is a weighted sum of, as a row for each tap. */
function taps(node: OnnxNode, mode: string, { size, scale }: AxisResize, places: readonly number[], skipped: (place: number) => boolean): { readonly source: number[][]; readonly weight: number[][] } {
  const shrink = integer(node, 'antialias', 0) !== 0 ? Math.min(scale, 1) : 1;
  const [reach, a] = [mode === 'linear' ? 1 : 2, float(node, 'cubic_coeff_a', -0.75)];
  const first = Math.floor(-reach / shrink) + 1;
  const count = 2 * reach - 2 * (first + reach - 1);
  const excluded = integer(node, 'exclude_outside', 0) !== 0;
  if (count * places.length > MAXIMUM_ELEMENTS) throw new ImportError(`${describe(node)} has windows of ${count} elements`);
  const kernel = (distance: number): number => {
    const t = Math.abs(distance);
    if (mode === 'linear') return Math.max(0, 1 - t);
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
  };
  const columns = places.map((place) => {
    const base = Number.isInteger(place) ? place - 1 : Math.floor(place);
    const indices = Array.from({ length: count }, (_, tap) => base + first + tap);
    const raw = indices.map((index) => (excluded && (index < 0 || index >= size) ? 0 : kernel((index - place) * shrink)));
    const total = raw.reduce((sum, value) => sum + value, 0);
    return { source: indices.map((index) => Math.min(Math.max(index, 0), size - 1)), weight: raw.map((value) => (skipped(place) ? 0 : value / total)) };
  });
  const rows = (of: 'source' | 'weight'): number[][] => Array.from({ length: count }, (_, tap) => columns.map((column) => column[of][tap] ?? 0));
  return { source: rows('source'), weight: rows('weight') };
}
