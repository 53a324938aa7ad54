import type { LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { weightShape } from '../../language-model/dimensions.ts';
import { STORYTELLER } from './architecture.ts';

/** A tensor of real numbers, row by row. */
export interface WeightTensor {
  readonly name: WeightName;
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

interface Entry { readonly rows: number; readonly columns: number; readonly start: number }

const key = (name: WeightName): string => ('layer' in name ? `${name.tensor}.${name.layer}` : name.tensor);

const LAYER_TENSORS = ['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'up', 'down'] as const satisfies readonly LayerWeight[];

/** All tensors, in the file's order. */
const NAMES: readonly WeightName[] = [
  { tensor: 'embedding' },
  ...Array.from({ length: STORYTELLER.layers }, (_, layer) => LAYER_TENSORS.map((tensor) => ({ tensor, layer }))).flat(),
  { tensor: 'finalNorm' },
];

/** Where each tensor lies in the file. */
function layout(): { readonly entries: ReadonlyMap<string, Entry>; readonly size: number } {
  const entries = new Map<string, Entry>();
  let size = 0;
  for (const name of NAMES) {
    const { rows, columns } = weightShape(STORYTELLER, name) as { readonly rows: number; readonly columns: number };
    entries.set(key(name), { rows, columns, start: size });
    size += rows === 1 ? 4 * columns : rows * (4 + columns);
  }
  return { entries, size };
}

/**
 * The weights as a file: tensor after tensor in the order of the architecture; of a vector its float32 numbers; of a matrix row after row a float32
 * scale and the row's bytes, which times the scale are its numbers. Little-endian, nothing else. Each row's scale is its greatest magnitude / 127.
 *
 * @throws RangeError when tensors are missing or have another shape
 */
export function encodeStoryteller(tensors: readonly WeightTensor[]): Uint8Array {
  const { entries, size } = layout();
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (tensors.length !== entries.size) throw new RangeError(`the storyteller has ${entries.size} tensors, not ${tensors.length}`);
  for (const { name, rows, columns, values } of tensors) {
    const entry = entries.get(key(name));
    if (entry === undefined || entry.rows !== rows || entry.columns !== columns || values.length !== rows * columns) throw new RangeError(`the storyteller has no tensor ${key(name)} of ${rows} × ${columns}`);
    if (rows === 1) {
      values.forEach((value, index) => view.setFloat32(entry.start + 4 * index, value, true));
      continue;
    }
    for (let row = 0; row < rows; row += 1) {
      const from = values.subarray(row * columns, (row + 1) * columns);
      const scale = Math.fround(from.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0) / 127);
      const at = entry.start + row * (4 + columns);
      view.setFloat32(at, scale, true);
      from.forEach((value, index) => view.setInt8(at + 4 + index, scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(value / scale)))));
    }
  }
  return bytes;
}

/** Reads the file that `encodeStoryteller` writes. @throws RangeError on a file of another size, or with numbers that are none */
export function loadStoryteller(bytes: Uint8Array): WeightSource {
  const { entries, size } = layout();
  if (bytes.length !== size) throw new RangeError(`the storyteller's weights have ${size} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    architecture: STORYTELLER,
    shape(name) {
      const entry = entries.get(key(name));
      return entry === undefined ? undefined : { rows: entry.rows, columns: entry.columns };
    },
    async rows(name, from, to) {
      const entry = entries.get(key(name));
      if (entry === undefined || !(from >= 0 && from <= to && to <= entry.rows)) throw new RangeError(`the storyteller has no rows ${from} to ${to} of ${key(name)}`);
      return readRows(view, entry, from, to);
    },
  };
}

function readRows(view: DataView, { rows, columns, start }: Entry, from: number, to: number): Float32Array {
  const values = new Float32Array((to - from) * columns);
  for (let row = from; row < to; row += 1) {
    const at = start + row * (4 + columns);
    const scale = rows === 1 ? 1 : view.getFloat32(at, true);
    for (let column = 0; column < columns; column += 1) {
      values[(row - from) * columns + column] = rows === 1 ? view.getFloat32(start + 4 * column, true) : scale * view.getInt8(at + 4 + column);
    }
  }
  if (!values.every(Number.isFinite)) throw new RangeError('the storyteller\'s weights contain numbers that are not finite');
  return values;
}
