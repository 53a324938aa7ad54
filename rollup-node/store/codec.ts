/** JSON that keeps bigints and bytes: `{"$bigint":"12"}`, `{"$bytes":"Cgs="}`. */
export function encodeRecord(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === 'bigint') return { $bigint: field.toString() };
    if (field instanceof Uint8Array) return { $bytes: Buffer.from(field.buffer, field.byteOffset, field.byteLength).toString('base64') };
    return field;
  });
}

/** The inverse of `encodeRecord`. @throws SyntaxError on text that it did not write. */
export function decodeRecord(text: string): unknown {
  return JSON.parse(text, (_, field: unknown) => {
    if (typeof field !== 'object' || field === null) return field;
    const { $bigint: integer, $bytes: bytes } = field as { $bigint?: unknown; $bytes?: unknown };
    if (typeof integer === 'string') return BigInt(integer);
    if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'base64'));
    return field;
  });
}

/** As an encoding of abstract-level, for values of type `T`. */
export const recordEncoding = <T>(): { name: string; format: 'utf8'; encode: (value: T) => string; decode: (text: string) => T } => ({
  name: 'assay-record',
  format: 'utf8',
  encode: encodeRecord,
  decode: (text) => decodeRecord(text) as T,
});
