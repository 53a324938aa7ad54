/** Characters' classes as the kernel `character-classes` looks them up. */
export interface CharacterTable {
  /** Class of each character of the vocabulary, 1…255. */
  readonly classes: ReadonlyMap<string, number>;
  /** For each 256 code points, which row of `rows` has their classes. Row 0 has only zeros. */
  readonly pages: Uint8Array;
  readonly rows: readonly Uint8Array[];
}

/**
 * Numbers the characters that the n-grams use, and maps each code point whose lower case is one of them to its number: text in lower case,
 * which is what the package counts, is not affected, and text that nobody has normalised is understood better.
 *
 * @throws Error when there are more than 255 characters, or one beyond the basic multilingual plane.
 */
export function characterTable(ngrams: readonly string[]): CharacterTable {
  const characters = [...new Set(ngrams.flatMap((ngram) => [...ngram]))].sort();
  if (characters.length > 255) throw new Error(`the n-grams use ${characters.length} characters; a class number is one byte`);
  if (characters.some((character) => character.length !== 1)) throw new Error('the n-grams use a character beyond the basic multilingual plane');
  const classes = new Map(characters.map((character, index) => [character, index + 1]));

  const pages = new Uint8Array(256);
  const rows = [new Uint8Array(256)];
  for (let page = 0; page < 256; page += 1) {
    const row = Uint8Array.from({ length: 256 }, (_, low) => classes.get(String.fromCharCode(page * 256 + low).toLowerCase()) ?? 0);
    if (row.some((value) => value !== 0)) pages[page] = rows.push(row) - 1;
  }
  return { classes, pages, rows };
}

/** The n-grams' classes, packed as in a window, and the masks of the bytes that count: the two rows of `ngram-counts`' operand. */
export function packNgrams(ngrams: readonly string[], classes: ReadonlyMap<string, number>): Int32Array {
  const packed = ngrams.map((ngram) => [...ngram].reduce((window, character, index) => window | ((classes.get(character) ?? 0) << (8 * index)), 0));
  const masks = ngrams.map((ngram) => (ngram.length === 4 ? -1 : 2 ** (8 * ngram.length) - 1));
  return Int32Array.from([...packed, ...masks]);
}
