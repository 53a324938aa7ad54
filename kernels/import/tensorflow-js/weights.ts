import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { readDims } from '../onnx/tensor-data.ts';
import { array, object, optional, text } from './json.ts';

const MAXIMUM_WEIGHTS = 2 ** 16;

/** Bytes of an element as the shards hold it, and how it is read. */
const STORED: Readonly<Record<string, { readonly bytes: number; readonly read: (view: DataView, offset: number) => number }>> = {
  float32: { bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  int32: { bytes: 4, read: (view, offset) => view.getInt32(offset, true) },
  bool: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  uint8: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  uint16: { bytes: 2, read: (view, offset) => view.getUint16(offset, true) },
};

/**
 * The weights of a TensorFlow.js model by name: `weightsManifest` of its model.json (tfjs-core, `io/types.ts`), and its shards one after another. Quantised ones are
 * `min + scale · q`.
 *
 * @throws ImportError when they do not fit together, or have types that are not read here.
 */
export function readWeights(manifest: unknown, shards: Uint8Array): ReadonlyMap<string, FloatTensor> {
  const view = new DataView(shards.buffer, shards.byteOffset, shards.byteLength);
  const weights = new Map<string, FloatTensor>();
  let offset = 0;
  for (const group of array(manifest, 'weightsManifest')) {
    for (const given of array(object(group, 'weightsManifest').weights, 'weightsManifest.weights')) {
      const entry = object(given, 'a weight');
      const name = text(entry.name, 'a weight\'s name');
      const what = `weight ${name}`;
      if (weights.has(name) || weights.size >= MAXIMUM_WEIGHTS) throw new ImportError(`${what} is there twice, or there are more than ${MAXIMUM_WEIGHTS} weights`);
      const dims = readDims(array(entry.shape, `${what}'s shape`).map(Number), what);
      const quantization = optional(entry.quantization, (value) => object(value, `${what}'s quantization`));
      const type = text(quantization?.dtype ?? entry.dtype, `${what}'s dtype`);
      const stored = STORED[type];
      if (stored === undefined) throw new ImportError(`${what} is stored as ${type}; read are ${Object.keys(STORED).join(', ')}`);
      const [scale, min] = quantization === null ? [1, 0] : [Number(quantization.scale), Number(quantization.min)];
      const count = elementCount(dims);
      if (offset + count * stored.bytes > shards.length) throw new ImportError(`${what} ends behind the shards' ${shards.length} bytes: one is missing or truncated`);
      const data = new Float32Array(count);
      for (let index = 0; index < count; index += 1) data[index] = stored.read(view, offset + index * stored.bytes) * scale + min;
      if (!data.every(Number.isFinite)) throw new ImportError(`${what} has elements that are not finite numbers`);
      weights.set(name, { dims, data });
      offset += count * stored.bytes;
    }
  }
  if (offset !== shards.length) throw new ImportError(`the shards have ${shards.length} bytes where the manifest wants ${offset}`);
  return weights;
}
