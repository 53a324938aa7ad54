import { random } from './random.ts';

/** Width and height of a drawing. */
export const DRAWING_SIZE = 224;

type Point = readonly [number, number];
type Stroke = readonly Point[];

const circle = (x: number, y: number, radius: number, from = 0, to = 2 * Math.PI): Stroke =>
  Array.from({ length: 25 }, (_, index) => {
    const angle = from + ((to - from) * index) / 24;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });

/** Symbols as one draws them: lines and arcs in a square from 0 to 1, y downwards. */
const SYMBOLS: readonly (readonly Stroke[])[] = [
  [[[0.5, 0], [0.5, 1]], [[0, 0.5], [1, 0.5]]], // plus
  [[[0, 0.5], [1, 0.5]]], // minus
  [[[0, 0.35], [1, 0.35]], [[0, 0.65], [1, 0.65]]], // equal
  [[[0, 0], [1, 1]], [[1, 0], [0, 1]]], // times
  [circle(0.5, 0.5, 0.5)], // circle
  [circle(0.5, 0.5, 0.5), [[0.5, 0.1], [0.5, 0.9]], [[0.1, 0.5], [0.9, 0.5]]], // circled plus
  [[[1, 0], [0, 0.5], [1, 1]]], // less
  [[[0, 0], [1, 0.5], [0, 1]]], // greater
  [[[0, 0], [0.5, 1], [1, 0]]], // or
  [[[0, 1], [0.5, 0], [1, 1]]], // and
  [[[0, 1], [0.5, 0], [1, 1], [0, 1]]], // triangle
  [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], // square
  [[[0, 0.5], [1, 0.5]], [[0.7, 0.2], [1, 0.5], [0.7, 0.8]]], // arrow to the right
  [[[1, 0.5], [0, 0.5]], [[0.3, 0.2], [0, 0.5], [0.3, 0.8]]], // arrow to the left
  [[[0.5, 1], [0.5, 0]], [[0.2, 0.3], [0.5, 0], [0.8, 0.3]]], // arrow up
  [[[1, 0], [0, 0], [0.6, 0.5], [0, 1], [1, 1]]], // sum
  [[[0, 0], [1, 0]], [[0.2, 0], [0.2, 1]], [[0.8, 0], [0.8, 1]]], // product
  [[...circle(0.7, 0.15, 0.15, 0, -Math.PI), ...circle(0.3, 0.85, 0.15, 0, Math.PI)]], // integral
  [[[0, 0], [0.5, 1], [1, 0], [0, 0]]], // nabla
  [[[1, 0], [0.3, 0], [0, 0.5], [0.3, 1], [1, 1]], [[0, 0.5], [0.9, 0.5]]], // element of
  [[[1, 0], [0.3, 0], [0, 0.5], [0.3, 1], [1, 1]]], // subset
  [[[0, 0], [1, 0], [1, 1]]], // not
  [[[0, 0], [1, 0]], [[1, 0], [1, 1]], [[0, 0.5], [1, 0.5]], [[0, 1], [1, 1]]], // exists
  [[[0, 0], [0.5, 1], [1, 0]], [[0.2, 0.45], [0.8, 0.45]]], // for all
  [[[0.5, 0], [0.5, 1]], [[0, 1], [1, 1]]], // perpendicular
  [[...circle(0.28, 0.5, 0.26, 0, 2 * Math.PI), ...circle(0.74, 0.5, 0.26, Math.PI, 3 * Math.PI)]], // infinity
  [[[0, 0.6], [0.25, 1], [0.5, 0], [1, 0]]], // root
  [circle(0.5, 0.5, 0.5, 0.6, 5.7)], // c
  [[[0.2, 0], [0.2, 1]], [[0.2, 0.5], [0.9, 0]], [[0.4, 0.4], [0.9, 1]]], // kappa
  [[[0, 0], [1, 1]], [[0.45, 0.45], [0, 1]]], // lambda
];

/** A drawing of a symbol by an unsteady hand: turned, stretched and shaken a little, then fitted to the picture and drawn with a line of 8 pixels, as the package does it. */
export function drawSymbol(seed: number): Float32Array {
  const next = random(seed);
  const symbol = SYMBOLS[Math.floor(next() * SYMBOLS.length)] ?? [];
  const [angle, stretch, shear] = [(next() - 0.5) * 0.3, 0.75 + next() * 0.5, (next() - 0.5) * 0.3];
  const strokes = symbol.map((stroke) => stroke.map(([x, y]): Point => {
    const [dx, dy] = [(x - 0.5 + shear * (y - 0.5)) * stretch, y - 0.5];
    return [dx * Math.cos(angle) - dy * Math.sin(angle) + (next() - 0.5) * 0.05, dx * Math.sin(angle) + dy * Math.cos(angle) + (next() - 0.5) * 0.05];
  }));
  return render(strokes);
}

/** Strokes of any shape, which are no symbols. */
export function drawScribble(seed: number): Float32Array {
  const next = random(seed + 5000);
  return render(Array.from({ length: 1 + Math.floor(next() * 3) }, () => Array.from({ length: 2 + Math.floor(next() * 5) }, (): Point => [next(), next()])));
}

function render(strokes: readonly Stroke[]): Float32Array {
  const points = strokes.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (DRAWING_SIZE - 20) / Math.max(right - left, bottom - top, 1e-6);
  const place = ([x, y]: Point): Point => [(x - (left + right) / 2) * scale + DRAWING_SIZE / 2, (y - (top + bottom) / 2) * scale + DRAWING_SIZE / 2];
  const image = new Float32Array(DRAWING_SIZE * DRAWING_SIZE);
  for (const stroke of strokes) {
    for (let index = 1; index < stroke.length; index += 1) drawLine(image, place(stroke[index - 1] ?? [0, 0]), place(stroke[index] ?? [0, 0]));
  }
  return image;
}

const LINE_WIDTH = 8;

/** A line with smooth edges and round ends. */
function drawLine(image: Float32Array, [ax, ay]: Point, [bx, by]: Point): void {
  const reach = LINE_WIDTH / 2 + 1;
  const length = Math.max(1e-9, (bx - ax) ** 2 + (by - ay) ** 2);
  for (let y = Math.max(0, Math.floor(Math.min(ay, by) - reach)); y <= Math.min(DRAWING_SIZE - 1, Math.ceil(Math.max(ay, by) + reach)); y += 1) {
    for (let x = Math.max(0, Math.floor(Math.min(ax, bx) - reach)); x <= Math.min(DRAWING_SIZE - 1, Math.ceil(Math.max(ax, bx) + reach)); x += 1) {
      const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
      const distance = Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
      const value = Math.round(255 * Math.min(1, Math.max(0, LINE_WIDTH / 2 + 0.5 - distance))) / 255;
      const at = y * DRAWING_SIZE + x;
      image[at] = Math.max(image[at] ?? 0, value);
    }
  }
}
