import { carriedOperators, prologueReadLater } from '../../deterministic-runtime/program/carried.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Program, Section } from '../../deterministic-runtime/program/program.ts';
import { byteLength } from '../../deterministic-runtime/program/tensor.ts';

/** Bytes of one operator's tensors that are allocated at once, unless one alone is larger. */
const BLOCK_BYTES = 2 ** 16;

/**
 * The tensors of a run that other iterations, or other sections, read: what it takes to run any of its iterations again alone. For a language model that is its KV cache.
 */
export class NeededTensors {
  readonly #program: Program;
  readonly #carried: ReadonlySet<number>;
  readonly #prologueRead: ReadonlySet<number>;
  readonly #prologue = new Map<number, Uint8Array>();
  /** By operator: blocks of several iterations' tensors. */
  readonly #body = new Map<number, Uint8Array[]>();
  readonly #perBlock: readonly number[];
  #byteLength = 0;

  constructor({ model: { program }, operators }: EncodedModel) {
    this.#program = program;
    this.#carried = carriedOperators(operators);
    this.#prologueRead = prologueReadLater(operators);
    this.#perBlock = program.body.map(({ output }) => Math.min(program.maxIterations, Math.ceil(BLOCK_BYTES / byteLength(output))));
  }

  /** Bytes that are allocated. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Copies the tensor if it is needed. */
  add(section: Section, index: number, iteration: number, words: Uint8Array): void {
    if (section === 'prologue' && this.#prologueRead.has(index)) {
      this.#byteLength += words.length;
      this.#prologue.set(index, words.slice());
    } else if (section === 'body' && this.#carried.has(index)) {
      const perBlock = this.#perBlock[index]!;
      const blocks = this.#body.get(index) ?? [];
      this.#body.set(index, blocks);
      if (blocks.length * perBlock <= iteration) {
        blocks.push(new Uint8Array(perBlock * words.length));
        this.#byteLength += perBlock * words.length;
      }
      blocks.at(-1)!.set(words, (iteration % perBlock) * words.length);
    }
  }

  /** A tensor that was written and is needed; undefined for others. Whether the iteration ran is the caller's to know. */
  get(section: Section, index: number, iteration: number): Uint8Array | undefined {
    if (section === 'prologue') return this.#prologue.get(index);
    if (section === 'epilogue') return undefined;
    const perBlock = this.#perBlock[index]!;
    const bytes = byteLength(this.#program.body[index]!.output);
    const start = (iteration % perBlock) * bytes;
    return this.#body.get(index)?.[Math.floor(iteration / perBlock)]?.subarray(start, start + bytes);
  }
}
