import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/**
 * UTF-8 as these kernels read it, defined for every byte string: each byte but 0 and 0x80 … 0xbf begins a character, whose length its
 * leading bits tell (0xf8 … 0xff: four); of the bytes that follow the low six bits count, whatever their leading bits are. On
 * well-formed text this is RFC 3629. Byte 0 is the padding, and no character.
 */
const CONTINUATION = 0x80;
const LEADING = 0xc0;
const LEADING_3 = 0xe0;
const LEADING_4 = 0xf0;

const atLeast = (byte: I32, least: number): I32 => int32(least).le(byte);

/** 1 where a character begins. */
const beginsCharacter = (byte: I32): I32 => byte.eq(0).or(atLeast(byte, CONTINUATION).and(byte.lt(LEADING))).eq(0);

/** Bytes from one character to the next. */
const characterLength = (byte: I32): I32 => atLeast(byte, LEADING).add(atLeast(byte, LEADING_3)).add(atLeast(byte, LEADING_4)).add(1);

/**
 * The class of the character that begins at each byte: `y[0][p] = classes[pages[0][c >> 8]][c & 255]` with c the code point, by a two-level table
 * over the basic multilingual plane; 0 where no character begins, and for all characters beyond that plane.
 *
 * Shapes: text i8 [1][N], pages i8 [1][256] (a row of `classes` for each 256 code points), classes i8 [pages][256] (unsigned bytes; 0 is "none of
 * these"), y i8 [1][N].
 */
export const characterClasses = kernel('character-classes', {
  operands: { text: i8, pages: i8, classes: i8 },
  output: i8,
  element: ({ column, operands: { text, pages, classes } }) => {
    const byte = (offset: number): I32 => text.at(column.add(offset)).and(0xff);
    const first = byte(0);
    const second = byte(1).and(0x3f);
    const two = first.and(0x1f).shl(6).or(second);
    const three = first.and(0x0f).shl(12).or(second.shl(6)).or(byte(2).and(0x3f));
    const point = atLeast(first, LEADING).select(atLeast(first, LEADING_3).select(three, two), first);
    const known = beginsCharacter(first).and(first.lt(LEADING_4));
    return known.select(classes.at(pages.at(point.shr(8)).and(0xff), point.and(0xff)), 0);
  },
});

/**
 * The classes of the four characters from each byte on, packed: `y[0][p] = c0 | c1 << 8 | c2 << 16 | c3 << 24`, where each next character
 * is found by the length of the one before; 0 past the end.
 *
 * Shapes: text i8 [1][N], classes i8 [1][N] (as `character-classes` gives), y i32 [1][N].
 */
export const ngramWindows = kernel('ngram-windows', {
  operands: { text: i8, classes: i8 },
  output: i32,
  element: ({ column, operands: { text, classes } }) => {
    const next = (position: I32): I32 => position.add(characterLength(text.at(position).and(0xff)));
    const classAt = (position: I32): I32 => classes.at(position).and(0xff);
    const second = next(column);
    const third = next(second);
    const fourth = next(third);
    return classAt(column).or(classAt(second).shl(8)).or(classAt(third).shl(16)).or(classAt(fourth).shl(24));
  },
});

/**
 * How many UTF-16 code units the text has, which is a string's length in JavaScript: one a character, two beyond the basic multilingual plane.
 *
 * Shapes: text i8 [1][N], y i32 [1][1].
 */
export const utf16Length = kernel('utf16-length', {
  operands: { text: i8 },
  output: i32,
  element: ({ operands: { text } }) =>
    sum(text.columns, (position) => {
      const byte = text.at(position).and(0xff);
      return beginsCharacter(byte).add(atLeast(byte, LEADING_4));
    }),
});

/**
 * How often each n-gram of the vocabulary stands in the text: `y[0][g] = #{p : (windows[0][p] & ngrams[1][g]) = ngrams[0][g]}`.
 *
 * Shapes: windows i32 [1][N], ngrams i32 [2][G] (classes packed as in a window, no class 0; and the mask of the bytes that count), y i32 [1][G].
 */
export const ngramCounts = kernel('ngram-counts', {
  operands: { windows: i32, ngrams: i32 },
  output: i32,
  element: ({ column, operands: { windows, ngrams } }) =>
    sum(windows.columns, (position) => windows.at(position).and(ngrams.at(1, column)).eq(ngrams.at(0, column))),
});

/**
 * Counts as fixed-point shares of all n-grams of the same length: `y[0][g] = min(round(counts[0][g] · 2^bits / T), 2^bits − 1)`, halves upwards, with
 * `T = length − n[g] + 1`; 0 where there are none. Counts below 2^(31−bits).
 *
 * Shapes: counts i32 [1][G], length i32 [1][1] (UTF-16 code units of the text), n i8 [1][G] (characters in n-gram g), y i32 [1][G].
 */
export const ngramFrequencies = kernel('ngram-frequencies', {
  operands: { counts: i32, length: i32, n: i8 },
  parameters: ['bits'],
  output: i32,
  element: ({ column, operands: { counts, length, n }, parameters: { bits } }) => {
    const total = length.at(0).sub(n.at(column)).add(1).max(0);
    return counts.at(column).shl(bits).add(total.div(2)).div(total).min(int32(1).shl(bits).sub(1));
  },
});
