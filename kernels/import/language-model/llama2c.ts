import { checkArchitecture, weightShape } from '../../language-model/dimensions.ts';
import type { Architecture, LayerWeight, WeightName, WeightSource } from '../../language-model/architecture.ts';
import { ImportError } from '../import-error.ts';
import type { ByteSource } from './byte-source.ts';

const HEADER_BYTES = 28;
const FLOAT_BYTES = 4;
/** llama2.c writes neither of these; they are what its run.c has. */
const NORM_EPSILON = 1e-5;
const ROTARY_BASE = 10000;
/** SentencePiece's begin token, which run.c also takes for the end of a text, and its end token. */
const BEGIN_TOKEN = 1;
const END_TOKEN = 2;

/** The layers' tensors in the file's order (llama2.c, run.c, memory_map_weights): each stands once for all layers. */
const LAYER_TENSORS = ['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'down', 'up'] as const satisfies readonly LayerWeight[];

/**
 * Reads the header of a llama2.c model (the first, headerless-version format of run.c): seven little-endian i32, then f32 tensors. The weights are
 * read when they are asked for.
 * @throws ImportError when it is no such file, or its size is not what its header says
 */
export async function openLlama2c(file: ByteSource): Promise<WeightSource> {
  if (file.size < HEADER_BYTES) throw new ImportError(`not a llama2.c model: ${file.size} bytes are less than its header has`);
  const header = await file.read(0, HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const [width, hidden, layers, heads, keyValueHeads, signedVocabulary, context] = Array.from({ length: 7 }, (_, index) => view.getInt32(index * 4, true)) as [number, number, number, number, number, number, number];
  const architecture: Architecture = {
    family: 'llama', vocabulary: Math.abs(signedVocabulary), width, hidden, layers, heads, keyValueHeads, headSize: width / heads, context,
    normEpsilon: NORM_EPSILON, rotary: { base: ROTARY_BASE, pairs: 'adjacent' }, beginToken: BEGIN_TOKEN, endTokens: [BEGIN_TOKEN, END_TOKEN],
  };
  try {
    checkArchitecture(architecture);
  } catch (error) {
    throw new ImportError(`not a llama2.c model: ${(error as Error).message}`, { cause: error });
  }
  const { offsets, size } = layout(architecture, signedVocabulary < 0);
  if (file.size !== size) throw new ImportError(`a llama2.c model of these dimensions has ${size} bytes, not ${file.size}`);
  return {
    architecture,
    shape: (name) => (offsets(name) === undefined ? undefined : weightShape(architecture, name)),
    async rows(name, from, to) {
      const start = offsets(name);
      const shape = weightShape(architecture, name);
      if (start === undefined || shape === undefined || from < 0 || to > shape.rows || from > to) throw new RangeError(`${name.tensor} has no rows ${from} to ${to}`);
      const rowBytes = shape.columns * FLOAT_BYTES;
      const bytes = await file.read(start + from * rowBytes, start + to * rowBytes);
      const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return Float32Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) => numbers.getFloat32(index * FLOAT_BYTES, true));
    },
  };
}

/** Where each tensor begins, and the size of the file. */
function layout(architecture: Architecture, ownOutput: boolean): { readonly offsets: (name: WeightName) => number | undefined; readonly size: number } {
  const { layers, context, headSize } = architecture;
  const bytesOf = (name: WeightName): number => {
    const { rows, columns } = weightShape(architecture, name)!;
    return rows * columns * FLOAT_BYTES;
  };
  let position = HEADER_BYTES;
  const place = (bytes: number): number => {
    const start = position;
    position += bytes;
    return start;
  };
  const starts = new Map<string, number>();
  starts.set('embedding', place(bytesOf({ tensor: 'embedding' })));
  for (const tensor of LAYER_TENSORS) starts.set(tensor, place(layers * bytesOf({ tensor, layer: 0 })));
  starts.set('finalNorm', place(bytesOf({ tensor: 'finalNorm' })));
  // Tables of cosines and sines, which run.c skips too.
  place(context * headSize * FLOAT_BYTES);
  if (ownOutput) starts.set('output', place(bytesOf({ tensor: 'output' })));
  return {
    size: position,
    offsets(name) {
      const start = starts.get(name.tensor);
      if (start === undefined || !('layer' in name)) return start;
      return name.layer >= 0 && name.layer < layers ? start + name.layer * bytesOf(name) : undefined;
    },
  };
}
