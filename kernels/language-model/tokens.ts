import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import type { I32 } from '../../deterministic-runtime/language/scalar.ts';
import { anyBits, int32, minimum } from '../../deterministic-runtime/language/scalar.ts';

/** Columns of a token model's input before the prompt: most new tokens, temperature, top-k, top-p. */
export const SETTINGS = 4;

/** Numbers of settings from the front of an input. Shapes: input i32 [1][N], y i32 [1][4]. */
export const settings = kernel('settings', {
  operands: { input: i32 },
  output: i32,
  element: ({ column, operands: { input } }) => input.at(0, column),
});

/** Tokens of a prompt: what stands before the first zero. Shapes: input i32 [1][4 + N], y i32 [1][1]. */
export const promptLength = kernel('prompt-length', {
  operands: { input: i32 },
  output: i32,
  element: ({ operands: { input } }) => {
    const limit = input.columns.sub(SETTINGS);
    return minimum(limit, (k) => input.at(0, k.add(SETTINGS)).eq(0).select(k, limit));
  },
});

/** The same for a text. Shapes: input i8 [1][N], y i32 [1][1]. */
export const textLength = kernel('text-length', {
  operands: { input: i8 },
  output: i32,
  element: ({ operands: { input } }) => minimum(input.columns, (k) => input.at(0, k).eq(0).select(k, input.columns)),
});

/** The token after position t−1, plus 1, as `next` has it. */
const before = (next: { at(row: number, column: number, options: { iteration: I32 }): I32 }, iteration: I32): I32 => next.at(0, 0, { iteration: iteration.sub(1) });

/**
 * The token at position `iteration`: the prompt's, then what was chosen a position before; cut to the vocabulary.
 *
 * Shapes: input i32 [1][4 + N], length i32 [1][1], next, an operator of the body, i32 [1][1] (the token chosen + 1), y i32 [1][1].
 */
export const currentToken = kernel('current-token', {
  operands: { input: i32, length: i32, next: i32 },
  parameters: ['vocabulary'],
  output: i32,
  element: ({ iteration, operands: { input, length, next }, parameters: { vocabulary } }) =>
    iteration.lt(length.at(0)).select(input.at(0, iteration.add(SETTINGS)), before(next, iteration)).sub(1).clamp(0, vocabulary.sub(1)),
});

/** The byte at position `iteration`, likewise; 0 where the text is empty. Shapes: input i8 [1][N], length, next and y as in `currentToken`. */
export const currentByte = kernel('current-byte', {
  operands: { input: i8, length: i32, next: i32 },
  parameters: ['vocabulary'],
  output: i32,
  element: ({ iteration, operands: { input, length, next }, parameters: { vocabulary } }) =>
    iteration.lt(length.at(0)).select(input.at(0, iteration).and(255), before(next, iteration).sub(1)).clamp(0, vocabulary.sub(1)),
});

/** `y = token + 1`, so that a token that was never chosen reads as zero. Shapes: token, y i32 [1][1]. */
export const nextToken = kernel('next-token', {
  operands: { token: i32 },
  output: i32,
  element: ({ operands: { token } }) => token.at(0).add(1),
});

/**
 * Not zero once the answer is complete: an end token was chosen behind the prompt, or `limit` tokens, or as many as the request asks for if it
 * names a number above zero.
 *
 * Shapes: next, length i32 [1][1], settings i32 [1][4], ends i32 [1][E] (end tokens + 1), y i32 [1][1].
 */
export const generationStops = kernel('generation-stops', {
  operands: { next: i32, length: i32, settings: i32, ends: i32 },
  parameters: ['limit'],
  output: i32,
  element: ({ iteration, operands: { next, length, settings: wanted, ends }, parameters: { limit } }) => {
    const generated = iteration.sub(length.at(0).max(1)).add(2);
    const most = int32(0).lt(wanted.at(0)).select(wanted.at(0).min(limit), limit);
    const ended = anyBits(ends.columns, (k) => next.at(0).eq(ends.at(k)));
    return int32(0).lt(generated).and(ended.or(most.le(generated)));
  },
});

/** The tokens chosen behind the prompt, plus 1, then zeros. Shapes: next, an operator of the body, and length i32 [1][1], y i32 [1][M]. */
export const generatedTokens = kernel('generated-tokens', {
  operands: { next: i32, length: i32 },
  output: i32,
  element: ({ column, operands: { next, length } }) => next.at(0, 0, { iteration: length.at(0).max(1).sub(1).add(column) }),
});

/** The bytes chosen behind the text, then zeros; an end token is zero too. Shapes: as `generatedTokens`, with ends i32 [1][E] (end tokens + 1) and y i8 [1][M]. */
export const generatedBytes = kernel('generated-bytes', {
  operands: { next: i32, length: i32, ends: i32 },
  output: i8,
  element: ({ column, operands: { next, length, ends } }) => {
    const chosen = next.at(0, 0, { iteration: length.at(0).max(1).sub(1).add(column) });
    const ended = anyBits(ends.columns, (k) => chosen.eq(ends.at(k)));
    return chosen.eq(0).or(ended).select(int32(0), chosen.sub(1));
  },
});
