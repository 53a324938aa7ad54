import { ByteBuffer } from 'flatbuffers';
import { ImportError } from '../import-error.ts';

/** Longest string that is read, in bytes. */
const LONGEST_STRING = 2 ** 12;
/** Elements that are read in all, for each byte of the file: tables may share vectors, but not so much that reading them never ends. */
const READS_PER_BYTE = 64;

const damaged = (what: string): ImportError => new ImportError(`the file is not a TensorFlow Lite model, or it is damaged: ${what}`);

/** A FlatBuffers file of which every access is checked: https://flatbuffers.dev/internals/ ("Encoding"). */
export class FlatFile {
  readonly bytes: Uint8Array;
  readonly buffer: ByteBuffer;
  #readsLeft: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.buffer = new ByteBuffer(bytes);
    this.#readsLeft = bytes.length * READS_PER_BYTE;
  }

  /** The file's root. @throws ImportError when the identifier is another, or the root is not inside the file. */
  root(identifier: string): FlatTable {
    this.demand(0, 8, 'its header');
    if (new TextDecoder().decode(this.bytes.subarray(4, 8)) !== identifier) throw damaged(`it has no identifier ${identifier}`);
    return new FlatTable(this, this.buffer.readUint32(0), 'the model');
  }

  /** @throws ImportError when the bytes are not inside the file. */
  demand(position: number, size: number, what: string): void {
    if (!(position >= 0 && position + size <= this.bytes.length)) throw damaged(`${what} lies outside the file`);
  }

  /** Counts elements that are read. @throws ImportError when there are too many. */
  charge(elements: number, what: string): void {
    this.#readsLeft -= elements + 1;
    if (this.#readsLeft < 0) throw damaged(`${what}: its parts overlap so much that reading them would not end`);
  }
}

type VectorReader<T> = (buffer: ByteBuffer, position: number) => T;

/** A table: fields by number, in the order of its schema. Absent fields have their default. */
export class FlatTable {
  readonly #file: FlatFile;
  readonly #position: number;
  readonly #what: string;
  readonly #fields: number;
  readonly #fieldsSize: number;
  readonly #size: number;

  constructor(file: FlatFile, position: number, what: string) {
    this.#file = file;
    this.#position = position;
    this.#what = what;
    file.charge(1, what);
    file.demand(position, 4, what);
    this.#fields = position - file.buffer.readInt32(position);
    file.demand(this.#fields, 4, `${what}'s list of fields`);
    this.#fieldsSize = file.buffer.readUint16(this.#fields);
    this.#size = file.buffer.readUint16(this.#fields + 2);
    file.demand(this.#fields, this.#fieldsSize, `${what}'s list of fields`);
    file.demand(position, this.#size, what);
    if (this.#fieldsSize < 4 || this.#size < 4) throw damaged(`${what} is smaller than a table can be`);
  }

  int8(field: number, fallback: number): number { return this.#scalar(field, 1, fallback, (buffer, at) => buffer.readInt8(at)); }
  uint8(field: number, fallback: number): number { return this.#scalar(field, 1, fallback, (buffer, at) => buffer.readUint8(at)); }
  int32(field: number, fallback: number): number { return this.#scalar(field, 4, fallback, (buffer, at) => buffer.readInt32(at)); }
  uint32(field: number, fallback: number): number { return this.#scalar(field, 4, fallback, (buffer, at) => buffer.readUint32(at)); }
  float32(field: number, fallback: number): number { return this.#scalar(field, 4, fallback, (buffer, at) => buffer.readFloat32(at)); }
  boolean(field: number, fallback: boolean): boolean { return this.uint8(field, fallback ? 1 : 0) !== 0; }

  /** A table that the field refers to, or null. */
  table(field: number, what: string): FlatTable | null {
    const at = this.#reference(field);
    return at === null ? null : new FlatTable(this.#file, at, what);
  }

  /** Tables that the field refers to; none where it is absent. @throws ImportError when there are more than `most`. */
  tables(field: number, most: number, what: string): FlatTable[] {
    const positions = this.#vector(field, 4, most, what, (buffer, at) => at + buffer.readUint32(at));
    return positions.map((position, index) => new FlatTable(this.#file, position, `${what} ${index}`));
  }

  int32s(field: number, most: number): number[] { return this.#vector(field, 4, most, `a list of ${this.#what}`, (buffer, at) => buffer.readInt32(at)); }
  float32s(field: number, most: number): number[] { return this.#vector(field, 4, most, `a list of ${this.#what}`, (buffer, at) => buffer.readFloat32(at)); }
  int64s(field: number, most: number): bigint[] { return this.#vector(field, 8, most, `a list of ${this.#what}`, (buffer, at) => buffer.readInt64(at)); }

  /** Bytes, without copying them; none where the field is absent. */
  bytes(field: number): Uint8Array {
    const found = this.#elements(field, 1, this.#file.bytes.length, `the data of ${this.#what}`);
    return found === null ? new Uint8Array() : this.#file.bytes.subarray(found.position, found.position + found.length);
  }

  string(field: number): string {
    const found = this.#elements(field, 1, LONGEST_STRING, `a name of ${this.#what}`);
    if (found === null) return '';
    this.#file.charge(found.length, this.#what);
    return new TextDecoder().decode(this.#file.bytes.subarray(found.position, found.position + found.length));
  }

  #scalar<T>(field: number, size: number, fallback: T, read: VectorReader<T>): T {
    const at = this.#field(field, size);
    return at === null ? fallback : read(this.#file.buffer, at);
  }

  /** Where a field lies, or null where the table does not have it. */
  #field(field: number, size: number): number | null {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#fieldsSize) return null;
    const offset = this.#file.buffer.readUint16(this.#fields + entry);
    if (offset === 0) return null;
    if (offset + size > this.#size) throw damaged(`field ${field} lies outside ${this.#what}`);
    return this.#position + offset;
  }

  #reference(field: number): number | null {
    const at = this.#field(field, 4);
    return at === null ? null : at + this.#file.buffer.readUint32(at);
  }

  #elements(field: number, size: number, most: number, what: string): { readonly position: number; readonly length: number } | null {
    const at = this.#reference(field);
    if (at === null) return null;
    this.#file.demand(at, 4, what);
    const length = this.#file.buffer.readUint32(at);
    this.#file.demand(at + 4, length * size, what);
    if (length > most) throw damaged(`${what} has ${length} entries; at most ${most} are read`);
    return { position: at + 4, length };
  }

  #vector<T>(field: number, size: number, most: number, what: string, read: VectorReader<T>): T[] {
    const found = this.#elements(field, size, most, what);
    if (found === null) return [];
    this.#file.charge(found.length, what);
    return Array.from({ length: found.length }, (_, index) => read(this.#file.buffer, found.position + index * size));
  }
}
