import { z } from 'zod';
import { byteTokenizer } from './byte-tokenizer.ts';
import { huggingFaceTokenizer } from './hugging-face-tokenizer.ts';
import { sentencePieceTokenizer } from './sentencepiece-tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

const LARGEST_VOCABULARY = 2 ** 21;

const token = z.int().min(0).max(LARGEST_VOCABULARY - 1);
const special = { beginToken: token.optional(), endTokens: z.array(token).max(64) };
const list = <T extends z.ZodType>(item: T) => z.array(item).max(LARGEST_VOCABULARY);
const anyObject = z.record(z.string(), z.unknown());

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bytes'), vocabulary: z.int().min(256).max(LARGEST_VOCABULARY), ...special }),
  z.strictObject({
    kind: z.literal('sentencepiece'), pieces: list(z.string().max(4096)), scores: list(z.number()), kinds: list(z.enum(['normal', 'unknown', 'control', 'user', 'unused', 'byte'])),
    spacePrefix: z.boolean(), addsBegin: z.boolean(), ...special,
  }),
  z.strictObject({ kind: z.literal('hugging-face'), tokenizer: anyObject, config: anyObject, vocabulary: z.int().min(1).max(LARGEST_VOCABULARY), ...special }),
]);

/**
 * A tokenizer from what `JSON.stringify` made of one.
 * @throws TypeError when it is not understood; RangeError when special tokens lie outside the vocabulary
 */
export function parseTokenizer(value: unknown): Tokenizer {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TypeError(`the tokenizer is not understood: ${issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'the value'}: ${issue.message}`}`);
  }
  const { data } = parsed;
  const { endTokens } = data;
  const { beginToken } = data;
  if (data.kind === 'bytes') return byteTokenizer({ vocabulary: data.vocabulary, endTokens, ...(beginToken === undefined ? {} : { beginToken }) });
  if (data.kind === 'sentencepiece') return sentencePieceTokenizer({ ...data, beginToken });
  return huggingFaceTokenizer({ ...data, beginToken });
}
