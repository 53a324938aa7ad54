/** The bytes of one file, read piece by piece, so that a file may be larger than memory. */
export interface ByteSource {
  readonly size: number;
  /** Bytes [from, to). @throws RangeError when the file has them not; ImportError when it cannot be read */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** A model's files: those of one folder, by plain name. */
export interface ModelFiles {
  /** Names of the regular files in the folder. */
  readonly names: readonly string[];
  /** The file that was asked for; undefined when a folder was. */
  readonly main: string | undefined;
  /** Opens one of `names`. @throws ImportError for any other name */
  open(name: string): Promise<ByteSource>;
}

/** Throws unless [from, to) lies in [0, size). */
export function checkRange(from: number, to: number, size: number, what: string): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from || to > size) throw new RangeError(`${what} has ${size}: [${from}, ${to}) lies outside`);
}

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: async (from, to) => {
      checkRange(from, to, bytes.length, 'a file of bytes');
      return bytes.subarray(from, to);
    },
  };
}
