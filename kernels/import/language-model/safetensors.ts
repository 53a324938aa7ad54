import { z } from 'zod';
import { ImportError } from '../import-error.ts';
import type { ByteSource } from './byte-source.ts';
import { BF16, F16, F32 } from './element-format.ts';
import type { ElementFormat } from './element-format.ts';

/** A tensor of a safetensors file. `format` is undefined for one that is not read; its name is `type`. */
export interface SafeTensor {
  readonly source: ByteSource;
  readonly shape: readonly number[];
  readonly type: string;
  readonly format: ElementFormat | undefined;
  /** In the file. */
  readonly offset: number;
}

const FORMATS: ReadonlyMap<string, ElementFormat> = new Map([F32, F16, BF16].map((format) => [format.name, format]));
const LENGTH_BYTES = 8;
/** The library's own limit (safetensors, tensor.rs, MAX_HEADER_SIZE). */
const LARGEST_HEADER = 100_000_000;

const size = z.int().min(0);
const tensorSchema = z.object({ dtype: z.string().max(16), shape: z.array(size).max(8), data_offsets: z.tuple([size, size]) });

/**
 * Reads the header of a safetensors file: a length of 64 bits, JSON that says what each tensor is, then the data
 * (https://github.com/huggingface/safetensors, "Format").
 * @throws ImportError when it is malformed, or a tensor does not lie inside the file
 */
export async function readSafetensors(source: ByteSource): Promise<Map<string, SafeTensor>> {
  const damaged = (what: string, cause?: unknown): ImportError => new ImportError(`the safetensors file is damaged or truncated, so fetch it again: ${what}`, { cause });
  if (source.size < LENGTH_BYTES) throw damaged(`it has ${source.size} bytes`);
  const lengthBytes = await source.read(0, LENGTH_BYTES);
  const length = Number(new DataView(lengthBytes.buffer, lengthBytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  if (length > LARGEST_HEADER || LENGTH_BYTES + length > source.size) throw damaged(`it says that its header has ${length} bytes`);
  let entries: [string, unknown][];
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(LENGTH_BYTES, LENGTH_BYTES + length)));
    entries = Object.entries(z.record(z.string(), z.unknown()).parse(header));
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw damaged('its header is no JSON object', error);
  }
  const tensors = new Map<string, SafeTensor>();
  for (const [name, value] of entries) {
    if (name === '__metadata__') continue;
    const parsed = tensorSchema.safeParse(value);
    if (!parsed.success) throw damaged(`its header describes ${JSON.stringify(name)} in a way that is not understood`, parsed.error);
    const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
    const offset = LENGTH_BYTES + length + begin;
    if (end < begin || LENGTH_BYTES + length + end > source.size) throw damaged(`tensor ${JSON.stringify(name)} reaches to byte ${LENGTH_BYTES + length + end} of ${source.size}`);
    const format = FORMATS.get(dtype);
    const elements = shape.reduce((product, dimension) => product * dimension, 1);
    if (format !== undefined && elements * format.bytes !== end - begin) throw damaged(`tensor ${JSON.stringify(name)} has ${end - begin} bytes, not ${elements * format.bytes} as its shape says`);
    tensors.set(name, { source, shape, type: dtype, format, offset });
  }
  return tensors;
}
