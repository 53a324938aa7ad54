import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import { describe, float, integer, text } from './attributes.ts';
import { MAXIMUM_ELEMENTS } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** One element of an axis and its weight; places outside the axis are told from those inside by the padding. */
interface Tap { readonly at: number; readonly weight: number }

/** The cubic convolution's weights ("Cubic convolution interpolation for digital image processing", Keys 1981) for a distance past the second of four taps. */
function cubic(distance: number, a: number): number[] {
  const near = (t: number): number => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number): number => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return [far(1 + distance), near(distance), near(1 - distance), far(2 - distance)];
}

/** Halves to even numbers. */
const nearest = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** A place mirrored into the axis: at its first and last elements, or at their outer edges. */
function reflected(place: number, size: number, aligned: boolean): number {
  const [low, high] = aligned ? [0, size - 1] : [-0.5, size - 0.5];
  const range = high - low;
  if (range === 0) return 0;
  const within = (((place - low) % (2 * range)) + 2 * range) % (2 * range);
  return low + (within <= range ? within : 2 * range - within);
}

/**
 * GridSample with a constant grid: each element of the result is a sum of elements of x with constant weights. Places are −1 … 1 over the axis: from the middles of its outer elements where
 * `align_corners` is set, else from their outer edges.
 */
export function convertGridSample(conversion: Conversion, node: OnnxNode): void {
  const [x, dims] = [conversion.input(node, 0), conversion.inputDims(node, 0)];
  const grid = conversion.constantInput(node, 1, 'grid');
  const rank = dims.length - 2;
  const [batch = 1, channels = 1, ...sizes] = dims;
  const outer = grid.dims.slice(1, -1);
  if (rank < 1 || grid.dims.length !== dims.length || grid.dims[0] !== batch || grid.dims.at(-1) !== rank) throw new ImportError(`${describe(node)}: a grid of [${grid.dims.join(', ')}] for [${dims.join(', ')}]`);
  if (!grid.data.every(Number.isFinite)) throw new ImportError(`${describe(node)}: its grid has numbers that are not finite`);
  const mode = text(node, 'mode', 'linear').replace('bilinear', 'linear').replace('bicubic', 'cubic');
  const padding = text(node, 'padding_mode', 'zeros');
  if (!['linear', 'nearest', 'cubic'].includes(mode) || !['zeros', 'border', 'reflection'].includes(padding) || (mode === 'cubic' && rank !== 2)) throw new ImportError(`${describe(node)}: mode ${mode}, padding ${padding} for ${rank} axes`);
  const aligned = integer(node, 'align_corners', 0) !== 0;
  const a = float(node, 'cubic_coeff_a', -0.75);
  const width = { nearest: 1, linear: 2, cubic: 4 }[mode] ?? 1;
  const taps = width ** rank;
  const [places, pixels] = [elementCount(outer), elementCount(sizes)];
  if (places * taps * batch > MAXIMUM_ELEMENTS) throw new ImportError(`${describe(node)} takes ${places * taps * batch} elements; at most ${MAXIMUM_ELEMENTS} are supported`);

  /** The elements that one coordinate takes; −1 for what is outside and counts as 0. */
  const along = (coordinate: number, size: number): Tap[] => {
    const unpadded = aligned ? ((coordinate + 1) / 2) * (size - 1) : ((coordinate + 1) * size - 1) / 2;
    const inside = (place: number): number => {
      if (place >= 0 && place < size) return place;
      if (padding === 'zeros') return -1;
      return Math.min(Math.max(Math.round(padding === 'border' ? place : reflected(place, size, aligned)), 0), size - 1);
    };
    // Places, not elements, are moved into the image first, but for cubic convolution.
    const place = padding === 'zeros' || mode === 'cubic' ? unpadded : padding === 'border' ? Math.min(Math.max(unpadded, 0), size - 1) : Math.min(Math.max(reflected(unpadded, size, aligned), 0), size - 1);
    if (mode === 'nearest') return [{ at: inside(nearest(place)), weight: 1 }];
    const start = Math.floor(place);
    const weights = mode === 'linear' ? [1 - (place - start), place - start] : cubic(place - start, a);
    return weights.map((weight, index) => ({ at: inside(start + index - (mode === 'cubic' ? 1 : 0)), weight }));
  };

  const results = Array.from({ length: batch }, (_, image) => {
    const [source, weight] = [0, 0].map(() => Array.from({ length: taps }, () => new Array<number>(places).fill(0))) as [number[][], number[][]];
    for (let place = 0; place < places; place += 1) {
      // The grid's last coordinate is the slowest axis'.
      const axes = sizes.map((size, axis) => along(grid.data[(image * places + place) * rank + (rank - 1 - axis)] ?? 0, size));
      for (let tap = 0; tap < taps; tap += 1) {
        let [at, share, rest, outside] = [0, 1, tap, false];
        sizes.forEach((size, axis) => {
          const one = axes[axis]?.[rest % width] ?? { at: -1, weight: 0 };
          rest = Math.floor(rest / width);
          at = at * size + Math.max(one.at, 0);
          share *= one.weight;
          outside ||= one.at < 0;
        });
        // One element behind the image is 0.
        (source[tap] as number[])[place] = outside ? pixels : at;
        (weight[tap] as number[])[place] = share;
      }
    }
    const own = batch === 1 ? x : conversion.step(node, `image${image}`, { kind: 'slice', x, starts: dims.map((__, axis) => (axis === 0 ? image : 0)), steps: dims.map(() => 1) }, [1, ...dims.slice(1)]);
    const flat = conversion.step(node, `pixels${image}`, { kind: 'reshape', x: own }, [1, channels, pixels]);
    const wider = conversion.step(node, `padded${image}`, { kind: 'pad', x: flat, before: [0, 0, 0], after: [0, 0, 1], fill: 0 }, [1, channels, pixels + 1]);
    const sampled = conversion.step(node, `sampled${image}`, { kind: 'resampling', x: wider, axis: 2, source, weight }, [1, channels, places]);
    return conversion.step(node, `shaped${image}`, { kind: 'reshape', x: sampled }, [1, channels, ...outer]);
  });
  const [first = '', ...others] = results;
  if (others.length === 0) conversion.alias(conversion.output(node), first);
  else conversion.add(node, { kind: 'concatenation', x: first, others, axis: 0 }, [batch, channels, ...outer]);
}
