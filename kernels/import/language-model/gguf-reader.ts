import { ImportError } from '../import-error.ts';
import type { ByteSource } from './byte-source.ts';

/** A header is read in growing prefixes of the file, up to this size; the largest vocabularies in use take some 10 MB. */
const FIRST_PREFIX = 2 ** 20;
const LARGEST_HEADER = 2 ** 26;

/** Thrown inside a parser that has come to the end of the bytes it was given. */
class PrefixTooShort extends Error {}

/** Little-endian values, one after another. */
export class GgufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  i8 = (): number => this.#view.getInt8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2), true);
  i16 = (): number => this.#view.getInt16(this.#take(2), true);
  u32 = (): number => this.#view.getUint32(this.#take(4), true);
  i32 = (): number => this.#view.getInt32(this.#take(4), true);
  f32 = (): number => this.#view.getFloat32(this.#take(4), true);
  f64 = (): number => this.#view.getFloat64(this.#take(8), true);
  u64 = (): number => Number(this.#view.getBigUint64(this.#take(8), true));
  i64 = (): number => Number(this.#view.getBigInt64(this.#take(8), true));

  /** A length of 64 bits and as many bytes. */
  bytes(): Uint8Array {
    const length = this.u64();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    if (length > this.#bytes.length - this.#offset) throw new PrefixTooShort();
    this.#offset += length;
    return this.#offset - length;
  }
}

/**
 * What `parse` makes of the beginning of a file. It is given growing prefixes, each twice as long as the one before, until one is long enough.
 * @throws ImportError when the file ends before its header does, or the header is larger than 64 MiB; whatever `parse` throws
 */
export async function readGgufHeader<T>(source: ByteSource, parse: (reader: GgufReader) => T): Promise<T> {
  for (let length = FIRST_PREFIX; ; length *= 2) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return parse(new GgufReader(bytes));
    } catch (error) {
      if (!(error instanceof PrefixTooShort)) throw error;
      if (length >= source.size) throw new ImportError('the GGUF file ends inside its header: it is truncated or damaged, so fetch it again', { cause: error });
      if (length >= LARGEST_HEADER) throw new ImportError(`the GGUF file's header is larger than ${LARGEST_HEADER} bytes: the file is damaged`, { cause: error });
    }
  }
}
