/** How a file stores real numbers: blocks of so many elements in so many bytes. */
export interface ElementFormat {
  readonly name: string;
  /** Elements of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Decodes whole blocks; `values` has room for exactly their elements. */
  decode(bytes: Uint8Array, values: Float32Array): void;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The number that an IEEE 754 binary16 stands for. */
export function halfToNumber(half: number): number {
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  const sign = half >> 15 === 1 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

export const F32: ElementFormat = {
  name: 'F32', elements: 1, bytes: 4,
  decode: (bytes, values) => {
    const view = viewOf(bytes);
    for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat32(index * 4, true);
  },
};

/** All halves' numbers, made when first needed: computing each costs thirty times as much. */
let halves: Float32Array | undefined;

export const F16: ElementFormat = {
  name: 'F16', elements: 1, bytes: 2,
  decode: (bytes, values) => {
    halves ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToNumber(half));
    for (let index = 0; index < values.length; index += 1) values[index] = halves[bytes[2 * index]! | (bytes[2 * index + 1]! << 8)]!;
  },
};

/** The upper half of a binary32. */
export const BF16: ElementFormat = {
  name: 'BF16', elements: 1, bytes: 2,
  decode: (bytes, values) => {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let index = 0; index < bits.length; index += 1) bits[index] = ((bytes[2 * index]! | (bytes[2 * index + 1]! << 8)) << 16) >>> 0;
  },
};
