import { ImportError } from '../import-error.ts';
import type { ByteSource, ModelFiles } from './byte-source.ts';
import { BF16, F16, F32 } from './element-format.ts';
import type { ElementFormat } from './element-format.ts';
import { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './ggml-blocks.ts';
import { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from './ggml-k-blocks.ts';
import { parseGgufHeader } from './gguf-header.ts';
import type { GgufHeader, GgufTensor, GgufValue } from './gguf-header.ts';
import { readGgufHeader } from './gguf-reader.ts';
import { storedMatrix } from './stored-matrix.ts';
import type { StoredMatrix } from './stored-matrix.ts';
import { listed } from './weights.ts';

/** ggml's numbers of the element formats (ggml.h, `enum ggml_type`). */
const FORMATS: ReadonlyMap<number, ElementFormat> = new Map([
  [0, F32], [1, F16], [2, Q4_0], [3, Q4_1], [6, Q5_0], [7, Q5_1], [8, Q8_0], [10, Q2_K], [11, Q3_K], [12, Q4_K], [13, Q5_K], [14, Q6_K], [30, BF16],
]);
/** Names of formats that are not read, for messages. */
const UNREAD: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'], [15, 'Q8_K'], [16, 'IQ2_XXS'], [17, 'IQ2_XS'], [18, 'IQ3_XXS'], [19, 'IQ1_S'], [20, 'IQ4_NL'], [21, 'IQ3_S'], [22, 'IQ2_S'], [23, 'IQ4_XS'],
  [24, 'I8'], [25, 'I16'], [26, 'I32'], [27, 'I64'], [28, 'F64'], [29, 'IQ1_M'], [34, 'TQ1_0'], [35, 'TQ2_0'], [39, 'MXFP4'],
]);

/** `<name>-00001-of-00003.gguf`, as llama.cpp's gguf-split names parts. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;
const LARGEST_SPLIT = 4096;

/** A GGUF model: its metadata, and all its tensors, wherever they are. */
export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, StoredMatrix>;
}

/**
 * Opens a GGUF file, or all parts of a split one, of which `name` may be any.
 * @throws ImportError when a part is missing or malformed, or tensors have formats that are not read (all are listed)
 */
export async function openGguf(files: ModelFiles, name: string): Promise<GgufFile> {
  const tensors = new Map<string, StoredMatrix>();
  const problems: string[] = [];
  let metadata: GgufHeader['metadata'] | undefined;
  for (const part of await partNames(files, name)) {
    const source = await files.open(part);
    const header = await readGgufHeader(source, parseGgufHeader);
    metadata ??= header.metadata;
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) throw new ImportError(`tensor ${JSON.stringify(tensor.name)} stands in two parts of the model`);
      const matrix = tensorMatrix(source, header, tensor);
      if (typeof matrix === 'string') problems.push(matrix);
      else tensors.set(tensor.name, matrix);
    }
  }
  if (problems.length > 0) throw new ImportError(`the GGUF file has tensors that are not read: ${listed(problems)}. F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K are`);
  return { metadata: metadata ?? new Map(), tensors };
}

async function partNames(files: ModelFiles, name: string): Promise<string[]> {
  const { metadata } = await readGgufHeader(await files.open(name), parseGgufHeader);
  const count = metadata.get('split.count') ?? 1;
  if (count === 1 || count === 0) return [name];
  const [, stem, , total] = PART.exec(name) ?? [];
  if (typeof count !== 'number' || stem === undefined || Number(total) !== count || count > LARGEST_SPLIT) {
    throw new ImportError(`the GGUF file is part of a model split into ${String(count)}, and must be called <name>-00001-of-${String(count).padStart(5, '0')}.gguf or so`);
  }
  const names = Array.from({ length: count }, (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${total}.gguf`);
  const missing = names.filter((part) => !files.names.includes(part));
  if (missing.length > 0) throw new ImportError(`parts of the split model are missing: ${listed(missing)}`);
  return names;
}

/** The tensor as a matrix, or why it is not read. GGUF has the innermost dimension first. */
function tensorMatrix(source: ByteSource, { dataOffset }: GgufHeader, { name, dimensions, type, offset }: GgufTensor): StoredMatrix | string {
  const format = FORMATS.get(type);
  if (format === undefined) return `${name} (${UNREAD.get(type) ?? `format ${type}`})`;
  const [columns = 1, rows = 1, ...rest] = dimensions;
  if (rest.some((dimension) => dimension !== 1)) return `${name} (${dimensions.join(' × ')})`;
  return storedMatrix(name, rows, columns, { source, offset: dataOffset + offset, format });
}
