import { unpackTensor } from '../../../deterministic-runtime/program/tensor.ts';
import { axisOrder, lyingDims } from './activation.ts';
import type { Activation } from './activation.ts';
import { elementCount, strides } from './float-tensor.ts';

/** A value's real numbers, in the network's order, from its tensor's padded words. */
export function activationValues({ tensor, layout, dims, quantization: { scale, zeroPoint } }: Activation, words: Uint8Array): Float32Array {
  const elements = unpackTensor(tensor.shape, words);
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const integer = (index: number): number => (tensor.shape.element === 'i8' ? view.getInt8(index) : view.getInt32(index * 4, true));
  const order = axisOrder(layout, dims.length);
  const [own, lying] = layout.kind === 'flat-image' ? [[layout.channels, layout.pixels], [layout.pixels, layout.channels]] : [dims, lyingDims(layout, dims)];
  const turned = layout.kind === 'flat-image' ? [1, 0] : order;
  const [along, within] = [strides(lying), strides(own)];
  return Float32Array.from({ length: elementCount(own) }, (_, index) => {
    const place = own.reduce((sum, dim, axis) => sum + (Math.floor(index / (within[axis] ?? 1)) % dim) * (along[turned.indexOf(axis)] ?? 0), 0);
    return scale * (integer(place) - zeroPoint);
  });
}
