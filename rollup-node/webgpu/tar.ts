const BLOCK = 512;

/**
 * The regular files of a ustar archive by name. Links, folders and long names are skipped.
 * @throws RangeError when the archive ends within a file.
 */
export function readTar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number): string => {
    const field = archive.subarray(from, from + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
  };
  // Two zero blocks end an archive; the name of a zero block is empty.
  for (let offset = 0; offset + BLOCK <= archive.length && archive[offset] !== 0; ) {
    const size = Number.parseInt(text(offset + 124, 12).trim() || '0', 8);
    const start = offset + BLOCK;
    if (!(start + size <= archive.length)) throw new RangeError(`the archive ends within ${text(offset, 100)}`);
    const type = text(offset + 156, 1);
    if (type === '0' || type === '') files.set(text(offset, 100), archive.slice(start, start + size));
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
