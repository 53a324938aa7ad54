import { ImportError } from '../import-error.ts';
import type { GgufReader } from './gguf-reader.ts';

/** A value of GGUF's metadata. Integers above 2^53 are rounded. Strings that are not UTF-8 stay bytes. */
export type GgufScalar = number | boolean | string | Uint8Array;
export type GgufValue = GgufScalar | readonly GgufScalar[];

/** A tensor as the header describes it. */
export interface GgufTensor {
  readonly name: string;
  /** Innermost dimension first. */
  readonly dimensions: readonly number[];
  /** ggml's number for its element format. */
  readonly type: number;
  /** From the beginning of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where the tensors' data begins in the file. */
  readonly dataOffset: number;
  /** Of every tensor's offset. */
  readonly alignment: number;
}

/** `GGUF`, read as a little-endian number. */
const MAGIC = 0x46554747;
const LIMITS = { entries: 2 ** 16, elements: 2 ** 22, keyBytes: 2 ** 16 - 1, nameBytes: 256, dimensions: 4 } as const;
const [STRING, ARRAY] = [8, 9];
const DEFAULT_ALIGNMENT = 32;

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(bytes: Uint8Array): string | Uint8Array {
  try {
    return TEXT.decode(bytes);
  } catch {
    return bytes.slice();
  }
}

/**
 * Reads the header of a GGUF file, versions 2 and 3, little-endian (the format: ggml, docs/gguf.md).
 * @throws ImportError when it is another format or malformed
 */
export function parseGgufHeader(reader: GgufReader): GgufHeader {
  if (reader.u32() !== MAGIC) throw new ImportError('this is no GGUF file: it does not begin with GGUF');
  const version = reader.u32();
  if (version !== 2 && version !== 3) {
    const why = (version & 0xffff) === 0 ? 'it is big-endian' : `it has version ${version}`;
    throw new ImportError(`GGUF files of versions 2 and 3 are read, little-endian; ${why}: convert it again with a current llama.cpp`);
  }
  const tensorCount = count(reader.u64(), 'tensors');
  const entryCount = count(reader.u64(), 'metadata entries');
  const metadata = new Map<string, GgufValue>();
  for (let entry = 0; entry < entryCount; entry += 1) {
    const key = identifier(reader.bytes(), LIMITS.keyBytes);
    if (metadata.has(key)) throw new ImportError(`the GGUF file has its metadata entry ${JSON.stringify(key)} twice`);
    metadata.set(key, value(reader, reader.u32(), key));
  }
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20) throw new ImportError(`the GGUF file's alignment is ${String(alignment)}, not a number of bytes`);
  const tensors = Array.from({ length: tensorCount }, () => tensor(reader, alignment));
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw new ImportError(`the GGUF file has its tensor ${JSON.stringify(name)} twice`);
    names.add(name);
  }
  return { version, metadata, tensors, dataOffset: Math.ceil(reader.offset / alignment) * alignment, alignment };
}

function count(value: number, what: string): number {
  if (value > LIMITS.entries) throw new ImportError(`the GGUF file says that it has ${value} ${what}, more than ${LIMITS.entries}: it is damaged`);
  return value;
}

function identifier(bytes: Uint8Array, limit: number): string {
  const name = text(bytes);
  if (typeof name !== 'string' || bytes.length > limit) throw new ImportError(`the GGUF file has a name that is no UTF-8 text of at most ${limit} bytes: it is damaged`);
  return name;
}

function tensor(reader: GgufReader, alignment: number): GgufTensor {
  const name = identifier(reader.bytes(), LIMITS.nameBytes);
  const rank = reader.u32();
  if (rank > LIMITS.dimensions) throw new ImportError(`tensor ${JSON.stringify(name)} has ${rank} dimensions, more than ${LIMITS.dimensions}: the GGUF file is damaged`);
  const dimensions = Array.from({ length: rank }, () => reader.u64());
  const [type, offset] = [reader.u32(), reader.u64()];
  if (offset % alignment !== 0) throw new ImportError(`tensor ${JSON.stringify(name)} begins at ${offset}, which is no multiple of ${alignment}: the GGUF file is damaged`);
  return { name, dimensions, type, offset };
}

function value(reader: GgufReader, type: number, key: string): GgufValue {
  if (type !== ARRAY) return scalar(reader, type, key);
  const element = reader.u32();
  const length = reader.u64();
  if (length > LIMITS.elements) throw new ImportError(`the GGUF file's metadata entry ${JSON.stringify(key)} says that it has ${length} elements, more than ${LIMITS.elements}: it is damaged`);
  // Elements are pushed as they are read, so a false length costs no more than the bytes that are there.
  const values: GgufScalar[] = [];
  for (let index = 0; index < length; index += 1) values.push(scalar(reader, element, key));
  return values;
}

function scalar(reader: GgufReader, type: number, key: string): GgufScalar {
  if (type === STRING) return text(reader.bytes());
  const read = [reader.u8, reader.i8, reader.u16, reader.i16, reader.u32, reader.i32, reader.f32, () => reader.u8() !== 0, undefined, undefined, reader.u64, reader.i64, reader.f64][type];
  if (read === undefined) throw new ImportError(`the GGUF file's metadata entry ${JSON.stringify(key)} has the unknown type ${type}: it is damaged, or an array of arrays`);
  return read();
}
