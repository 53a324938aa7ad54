import { byteLength } from '../deterministic-runtime/program/tensor.ts';
import type { Program } from '../deterministic-runtime/program/program.ts';

const WORD = 32;
/** `ModelRegistry.MAX_INPUT_WORDS`: the padded words of an input, at most. */
const MOST_INPUT_WORDS = 2 ** 16;
/** `ModelSignature.MAX_ARRAY_LENGTH`. */
const MOST_ELEMENTS = 2 ** 20;
/** Largest transaction that nodes pass on: go-ethereum, core/txpool/legacypool, txMaxSize. */
const MOST_TRANSACTION_BYTES = 128 * 1024;
/** Selector, and the options of a request that has some. */
const OTHER_BYTES = 4 + 4 * WORD;

export interface RequestSize {
  /** Calldata of the longest request, in bytes: a word an element, but text and byte strings as they are. */
  readonly bytes: number;
  /** What stands in the way of asking for the model on a chain; undefined when nothing does. */
  readonly warning?: string;
}

/** How large requests to a model are, and whether a chain takes them. */
export function requestSize({ signature, input }: Pick<Program, 'signature' | 'input'>): RequestSize {
  const type = /^[^(]*\(([^)]*)\)/.exec(signature)?.[1] ?? '';
  const elements = input.rows * input.columns;
  const isString = type === 'string' || type === 'bytes';
  const isList = isString || type.endsWith('[]');
  const content = isString ? Math.ceil(elements / WORD) * WORD : elements * WORD;
  const bytes = OTHER_BYTES + content + (isList ? 2 * WORD : 0);
  const words = byteLength(input) / WORD;
  if (words > MOST_INPUT_WORDS || (!isList && elements > MOST_ELEMENTS)) {
    return { bytes, warning: `no registry takes this model: its input has ${elements.toLocaleString('en')} elements in ${words.toLocaleString('en')} words, and at most ${MOST_ELEMENTS.toLocaleString('en')} in ${MOST_INPUT_WORDS.toLocaleString('en')} can be asked about; it runs on this machine only` };
  }
  if (bytes > MOST_TRANSACTION_BYTES) {
    const longest = isList ? 'its longest request' : 'a request';
    return { bytes, warning: `${longest} has ${bytes.toLocaleString('en')} bytes of calldata, and nodes of public chains pass on transactions of ${MOST_TRANSACTION_BYTES.toLocaleString('en')} bytes at most: ask on a chain of your own${isList ? ', or more briefly' : ', or import a model of smaller inputs'}` };
  }
  return { bytes };
}
