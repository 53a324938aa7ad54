/** Largest buffer for reading back: more is read in parts. */
const STAGING_BYTES = 64 * 2 ** 20;

/** What to read back from a device. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** A part of a range, or all of it, in a staging buffer. */
export interface StagingPiece {
  /** Index of the range. */
  readonly range: number;
  readonly source: BufferRange;
  /** Where the piece starts in its range, and in the staging buffer. */
  readonly from: number;
  readonly staged: number;
  readonly size: number;
}

/** A staging buffer's content. */
export interface StagingPart {
  size: number;
  readonly pieces: StagingPiece[];
}

/** Lays ranges out one after another in staging buffers of at most `limit` bytes. */
export function stagingParts(ranges: readonly BufferRange[], limit = STAGING_BYTES): StagingPart[] {
  const parts: StagingPart[] = [];
  ranges.forEach((source, range) => {
    for (let from = 0; from < source.size; ) {
      let part = parts.at(-1);
      if (part === undefined || part.size >= limit) {
        part = { size: 0, pieces: [] };
        parts.push(part);
      }
      const size = Math.min(source.size - from, limit - part.size);
      part.pieces.push({ range, source, from, staged: part.size, size });
      part.size += size;
      from += size;
    }
  });
  return parts;
}
