import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Architecture, WeightName, WeightSource } from '../../kernels/language-model/architecture.ts';

/*
 * The part of GGUF (ggml's docs/gguf.md, version 3) that a Llama with made-up weights needs: all matrices as Q8_0 (blocks of 32 bytes with one scale of
 * 16 bits), vectors in 32-bit floats, and a vocabulary of meaningless words.
 */

const [UINT32, FLOAT32, STRING, ARRAY, INT32] = [4, 6, 8, 9, 5];
const [TYPE_F32, TYPE_Q8_0] = [0, 8];
const ALIGNMENT = 32;
const BLOCK = 32;
const BLOCK_BYTES = 34;
const Q8_0_FILE = 7;

class Writer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  #room(bytes: number): DataView {
    if (this.#length + bytes > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length + bytes, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const view = new DataView(this.#bytes.buffer, this.#length, bytes);
    this.#length += bytes;
    return view;
  }

  u32(value: number): this { this.#room(4).setUint32(0, value, true); return this; }
  u64(value: number): this { this.#room(8).setBigUint64(0, BigInt(value), true); return this; }
  f32(value: number): this { this.#room(4).setFloat32(0, value, true); return this; }
  text(value: string): this {
    const encoded = new TextEncoder().encode(value);
    this.u64(encoded.length);
    const view = this.#room(encoded.length);
    new Uint8Array(view.buffer, view.byteOffset, encoded.length).set(encoded);
    return this;
  }
  align(): this { this.#room((ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT); return this; }
  finish(): Uint8Array { return this.#bytes.subarray(0, this.#length); }
}

interface FileTensor { readonly file: string; readonly name: WeightName; readonly rows: number; readonly columns: number }

function tensorsOf(source: WeightSource): FileTensor[] {
  const { layers } = source.architecture;
  const named = (file: string, name: WeightName): FileTensor => ({ file: `${file}.weight`, name, ...source.shape(name)! });
  const layer = (number: number): FileTensor[] => ([
    ['attn_norm', 'attentionNorm'], ['attn_q', 'query'], ['attn_k', 'key'], ['attn_v', 'value'], ['attn_output', 'attentionOutput'],
    ['ffn_norm', 'feedForwardNorm'], ['ffn_gate', 'gate'], ['ffn_up', 'up'], ['ffn_down', 'down'],
  ] as const).map(([file, tensor]) => named(`blk.${number}.${file}`, { tensor, layer: number }));
  return [
    named('token_embd', { tensor: 'embedding' }), named('output_norm', { tensor: 'finalNorm' }), named('output', { tensor: 'output' }),
    ...Array.from({ length: layers }, (_, number) => layer(number)).flat(),
  ];
}

const isVector = ({ rows }: FileTensor): boolean => rows === 1;
const bytesOf = (tensor: FileTensor): number => (isVector(tensor) ? tensor.columns * 4 : (tensor.rows * tensor.columns * BLOCK_BYTES) / BLOCK);
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Writes a Llama's weights as a GGUF file of type Q8_0. @throws RangeError for matrices whose rows are no whole blocks of 32 */
export async function writeGguf(path: string, source: WeightSource): Promise<void> {
  const tensors = tensorsOf(source);
  const file = await open(path, 'w');
  try {
    const head = header(source.architecture, tensors);
    await file.write(head);
    let place = head.length;
    for (const tensor of tensors) {
      await writeTensor(file, place, source, tensor);
      place += aligned(bytesOf(tensor));
    }
    await file.truncate(place);
  } finally {
    await file.close();
  }
}

/** llama.cpp looks for a token of each byte, behind three special ones. */
const FIRST_WORD = 259;

function word(token: number): string {
  if (token >= FIRST_WORD) return `word${token}`;
  return ['<unk>', '<s>', '</s>'][token] ?? `<0x${(token - 3).toString(16).toUpperCase().padStart(2, '0')}>`;
}

function header(architecture: Architecture, tensors: readonly FileTensor[]): Uint8Array {
  const { vocabulary, width, hidden, layers, heads, keyValueHeads, headSize, context, normEpsilon, rotary } = architecture;
  const entries: ((writer: Writer) => void)[] = [];
  const entry = (key: string, type: number, write: (writer: Writer) => void): void => {
    entries.push((writer) => { write(writer.text(key).u32(type)); });
  };
  const integer = (key: string, value: number): void => { entry(key, UINT32, (writer) => writer.u32(value)); };
  const real = (key: string, value: number): void => { entry(key, FLOAT32, (writer) => writer.f32(value)); };
  const text = (key: string, value: string): void => { entry(key, STRING, (writer) => writer.text(value)); };
  const list = (key: string, type: number, write: (writer: Writer, token: number) => void): void => {
    entry(key, ARRAY, (writer) => {
      writer.u32(type).u64(vocabulary);
      for (let token = 0; token < vocabulary; token += 1) write(writer, token);
    });
  };
  text('general.architecture', 'llama');
  text('general.name', 'made-up weights');
  integer('general.file_type', Q8_0_FILE);
  integer('llama.context_length', context);
  integer('llama.embedding_length', width);
  integer('llama.block_count', layers);
  integer('llama.feed_forward_length', hidden);
  integer('llama.attention.head_count', heads);
  integer('llama.attention.head_count_kv', keyValueHeads);
  real('llama.attention.layer_norm_rms_epsilon', normEpsilon);
  integer('llama.rope.dimension_count', headSize);
  real('llama.rope.freq_base', rotary?.base ?? 10_000);
  integer('llama.vocab_size', vocabulary);
  text('tokenizer.ggml.model', 'llama');
  list('tokenizer.ggml.tokens', STRING, (writer, token) => writer.text(word(token)));
  list('tokenizer.ggml.scores', FLOAT32, (writer, token) => writer.f32(-token));
  list('tokenizer.ggml.token_type', INT32, (writer, token) => writer.u32(token === 0 ? 2 : token < 3 ? 3 : token < FIRST_WORD ? 6 : 1));
  integer('tokenizer.ggml.bos_token_id', 1);
  integer('tokenizer.ggml.eos_token_id', 2);
  integer('tokenizer.ggml.unknown_token_id', 0);
  const writer = new Writer().u32(0x46554747).u32(3).u64(tensors.length).u64(entries.length);
  for (const write of entries) write(writer);
  let offset = 0;
  for (const tensor of tensors) {
    writer.text(tensor.file).u32(isVector(tensor) ? 1 : 2).u64(tensor.columns);
    if (!isVector(tensor)) writer.u64(tensor.rows);
    writer.u32(isVector(tensor) ? TYPE_F32 : TYPE_Q8_0).u64(offset);
    offset += aligned(bytesOf(tensor));
  }
  return writer.align().finish();
}

async function writeTensor(file: FileHandle, place: number, source: WeightSource, tensor: FileTensor): Promise<void> {
  if (isVector(tensor)) {
    const elements = await source.rows(tensor.name, 0, 1);
    await file.write(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), 0, undefined, place);
    return;
  }
  if (tensor.columns % BLOCK !== 0) throw new RangeError(`${tensor.file} has rows of ${tensor.columns}, which are no whole blocks of ${BLOCK}`);
  const step = Math.max(1, Math.floor(2 ** 20 / tensor.columns));
  for (let from = 0; from < tensor.rows; from += step) {
    const elements = await source.rows(tensor.name, from, Math.min(tensor.rows, from + step));
    await file.write(quantized(elements), 0, undefined, place + (from * tensor.columns * BLOCK_BYTES) / BLOCK);
  }
}

/** Blocks of 32 numbers: their scale, greatest magnitude / 127, in 16 bits, then a byte each. */
function quantized(elements: Float32Array): Uint8Array {
  const bytes = new Uint8Array((elements.length / BLOCK) * BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block * BLOCK < elements.length; block += 1) {
    const values = elements.subarray(block * BLOCK, (block + 1) * BLOCK);
    let greatest = 0;
    for (const value of values) greatest = Math.max(greatest, Math.abs(value));
    const scale = greatest / 127;
    view.setUint16(block * BLOCK_BYTES, halfBits(scale), true);
    values.forEach((value, index) => { view.setInt8(block * BLOCK_BYTES + 2 + index, scale === 0 ? 0 : Math.round(value / scale)); });
  }
  return bytes;
}

/** A small positive number as an IEEE 754 half, its fraction cut. */
function halfBits(value: number): number {
  if (value < 2 ** -24) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(value)));
  const fraction = Math.floor((value / 2 ** exponent) * 1024);
  return fraction < 1024 ? fraction : ((exponent + 15) << 10) | (fraction - 1024);
}
