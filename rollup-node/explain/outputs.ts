import { bytesToHex, hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { z } from 'zod';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { decodePrompt } from '../../kernels/language-model/interface.ts';
import { inputWords } from '../inference/models.ts';
import { takesTokens, tokenizerOf } from '../language-model.ts';
import { readableOutput, resultWords } from '../model-values.ts';

/** An output for people: text, a class, token ids or numbers. */
export type ReadableOutput = string | number | readonly number[];

/** Classes that are tried, where an output is one class. */
const MOST_CLASSES = 4_096;

/** A model's output words as a value; null where its metadata do not say how to read them. */
export function readOutput(model: Model, words: Uint8Array): ReadableOutput | null {
  try {
    return readableOutput(model, words);
  } catch {
    return null;
  }
}

/** What a request carries, for people: a text itself, and a prompt's text or tokens where the model is at hand; else nothing. */
export function readInput(signature: string, input: Hex, model: Model | null): string | null {
  if (/^\w+\(string\)/.test(signature)) return new TextDecoder().decode(hexToBytes(input));
  try {
    if (model === null || !takesTokens(model)) return null;
    const tokens = decodePrompt(model, inputWords(model.program.input, hexToBytes(input)));
    return tokenizerOf(model)?.decode(tokens) ?? `tokens ${tokens.join(', ')}`;
  } catch {
    return null;
  }
}

/**
 * The value behind an output's commitment, where it can be found: of all labels of a model that gives one, and of the first classes of one that gives a class. The chain
 * has the commitment alone.
 */
export function findOutput(model: Model, commitment: Hex): ReadableOutput | null {
  for (const elements of candidates(model)) {
    try {
      const words = resultWords(model, elements);
      if (bytesToHex(commitTensor(words)) === commitment) return readOutput(model, words);
    } catch {
      // A label that does not fit the output.
    }
  }
  return null;
}

const metadata = z.looseObject({ labels: z.array(z.string().max(64)).max(4_096).catch([]).default([]), output: z.looseObject({ kind: z.string() }).optional().catch(undefined) });

function* candidates({ program }: Model): Generator<Uint8Array> {
  const { labels, output } = metadata.parse(program.metadata);
  if (output?.kind === 'text') for (const label of labels) yield new TextEncoder().encode(label);
  if (output?.kind !== 'class') return;
  for (let index = 0; index < MOST_CLASSES; index += 1) yield new Uint8Array(Int32Array.of(index).buffer);
}

