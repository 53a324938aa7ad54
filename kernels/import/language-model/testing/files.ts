import { ImportError } from '../../import-error.ts';
import { memorySource } from '../byte-source.ts';
import type { ByteSource, ModelFiles } from '../byte-source.ts';

/** A folder in memory. */
export function memoryFiles(files: Readonly<Record<string, Uint8Array | ByteSource>>, main?: string): ModelFiles {
  return {
    names: Object.keys(files),
    main,
    open: async (name) => {
      const file = files[name];
      if (file === undefined) throw new ImportError(`no file ${name}`);
      return file instanceof Uint8Array ? memorySource(file) : file;
    },
  };
}

/** The message of the error that a promise ends with; its class must be ImportError. */
export async function importError(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ImportError) return error.message;
    throw error;
  }
  throw new Error('expected an ImportError');
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const jsonBytes = (value: unknown): Uint8Array => encode(JSON.stringify(value));
export const floatBytes = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function littleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}
const u32 = (value: number): Uint8Array => littleEndian(BigInt(value), 4);
const u64 = (value: number | bigint): Uint8Array => littleEndian(BigInt(value), 8);
const string = (text: string): Uint8Array => concatenated([u64(encode(text).length), encode(text)]);

/** A value with GGUF's number for its type. */
export type GgufEntry = number | boolean | string | { readonly float: number } | readonly string[] | { readonly floats: readonly number[] } | { readonly integers: readonly number[] };

function entryBytes(value: GgufEntry): Uint8Array {
  if (typeof value === 'number') return concatenated([u32(4), u32(value)]);
  if (typeof value === 'boolean') return concatenated([u32(7), Uint8Array.of(value ? 1 : 0)]);
  if (typeof value === 'string') return concatenated([u32(8), string(value)]);
  if ('float' in value) return concatenated([u32(6), floatBytes([value.float])]);
  if ('floats' in value) return concatenated([u32(9), u32(6), u64(value.floats.length), floatBytes(value.floats)]);
  if ('integers' in value) return concatenated([u32(9), u32(5), u64(value.integers.length), new Uint8Array(Int32Array.from(value.integers).buffer)]);
  return concatenated([u32(9), u32(8), u64(value.length), ...value.map(string)]);
}

export interface GgufTensorBytes { readonly name: string; readonly dimensions: readonly number[]; readonly type: number; readonly bytes: Uint8Array }

/** A GGUF file, version 3, with its tensors 32-byte aligned. */
export function ggufBytes(metadata: Readonly<Record<string, GgufEntry>>, tensors: readonly GgufTensorBytes[]): Uint8Array {
  const padded = (bytes: Uint8Array): Uint8Array => concatenated([bytes, new Uint8Array((32 - (bytes.length % 32)) % 32)]);
  let offset = 0;
  const descriptions = tensors.map(({ name, dimensions, type, bytes }) => {
    const description = concatenated([string(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)]);
    offset += padded(bytes).length;
    return description;
  });
  const entries = Object.entries(metadata);
  const header = concatenated([encode('GGUF'), u32(3), u64(tensors.length), u64(entries.length), ...entries.flatMap(([key, value]) => [string(key), entryBytes(value)]), ...descriptions]);
  return concatenated([padded(header), ...tensors.map(({ bytes }) => padded(bytes))]);
}

/** A safetensors file of F32 tensors. */
export function safetensorsBytes(tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number> }>>): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.length * 4] };
    offset += values.length * 4;
  }
  const json = jsonBytes(header);
  return concatenated([u64(json.length), json, ...Object.values(tensors).map(({ values }) => floatBytes(values))]);
}
