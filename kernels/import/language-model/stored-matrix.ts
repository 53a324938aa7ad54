import { ImportError } from '../import-error.ts';
import { checkRange } from './byte-source.ts';
import type { ByteSource } from './byte-source.ts';
import type { ElementFormat } from './element-format.ts';

/** A matrix in a file, read by rows. A vector has one row. */
export interface StoredMatrix {
  /** The file's name for it. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows [from, to), row by row. @throws RangeError for rows that it has not */
  read(from: number, to: number): Promise<Float32Array>;
}

/** Where a tensor's bytes stand in a file. */
export interface StoredBytes {
  readonly source: ByteSource;
  readonly offset: number;
  readonly format: ElementFormat;
}

/** Most bytes of a transposed matrix that are in memory at once. */
const TILE_BYTES = 2 ** 20;
/** A read of less than this share of a row is worth its own request. */
const STRIDED_SHARE = 16;

/**
 * A row-major matrix of the file.
 * @throws ImportError when rows are no whole blocks, or the matrix does not lie inside its file
 */
export function storedMatrix(name: string, rows: number, columns: number, { source, offset, format }: StoredBytes): StoredMatrix {
  const rowBytes = (columns / format.elements) * format.bytes;
  if (columns % format.elements !== 0) throw new ImportError(`tensor ${JSON.stringify(name)} has rows of ${columns} elements, which are no whole blocks of ${format.name}`);
  const end = offset + rows * rowBytes;
  if (!Number.isSafeInteger(end) || offset < 0 || end > source.size) throw new ImportError(`tensor ${JSON.stringify(name)} reaches to byte ${end} of a file of ${source.size}: the file is truncated or damaged, so fetch it again`);
  return {
    name, rows, columns,
    read: async (from, to) => {
      checkRange(from, to, rows, `tensor ${name}`);
      const values = new Float32Array((to - from) * columns);
      format.decode(await source.read(offset + from * rowBytes, offset + to * rowBytes), values);
      return values;
    },
  };
}

/**
 * The transpose of a matrix that the file has row-major. Ask for many rows at once: each request passes over all of the file's rows.
 * @throws ImportError as `storedMatrix` does, and for formats whose blocks are not single elements
 */
export function transposedMatrix(name: string, rows: number, columns: number, bytes: StoredBytes): StoredMatrix {
  const { source, offset, format } = bytes;
  if (format.elements !== 1) throw new ImportError(`tensor ${JSON.stringify(name)} would be transposed, which ${format.name} does not allow`);
  storedMatrix(name, columns, rows, bytes);
  const rowBytes = rows * format.bytes;
  return {
    name, rows, columns,
    read: async (from, to) => {
      checkRange(from, to, rows, `tensor ${name}`);
      const values = new Float32Array((to - from) * columns);
      const whole = (to - from) * STRIDED_SHARE >= rows;
      const [first, width] = whole ? [0, rows] : [from, to - from];
      const together = whole ? Math.max(1, Math.floor(TILE_BYTES / rowBytes)) : 1;
      for (let start = 0; start < columns; start += together) {
        const end = Math.min(columns, start + together);
        const begin = offset + start * rowBytes + first * format.bytes;
        const tile = new Float32Array((end - start) * width);
        format.decode(await source.read(begin, begin + tile.length * format.bytes), tile);
        for (let column = start; column < end; column += 1) {
          for (let row = from; row < to; row += 1) values[(row - from) * columns + column] = tile[(column - start) * width + row - first]!;
        }
      }
      return values;
    },
  };
}

/** Rows [first, first + rows) of a matrix, as a matrix. */
export const rowsOf = (matrix: StoredMatrix, first: number, rows: number): StoredMatrix => ({
  name: matrix.name, rows, columns: matrix.columns,
  read: async (from, to) => {
    checkRange(from, to, rows, `tensor ${matrix.name}`);
    return matrix.read(first + from, first + to);
  },
});

/** Columns [first, first + columns) of a matrix of one row. */
export const columnsOf = (vector: StoredMatrix, first: number, columns: number): StoredMatrix => ({
  name: vector.name, rows: 1, columns,
  read: async (from, to) => {
    checkRange(from, to, 1, `tensor ${vector.name}`);
    return from === to ? new Float32Array(0) : (await vector.read(0, 1)).slice(first, first + columns);
  },
});
