import { random } from './random.ts';

/** Radii in pixels, whose density falls with their cube. */
const [LEAST_RADIUS, GREATEST_RADIUS] = [3, 120];
const DISCS = 900;
const CHANNELS = 3;

/**
 * A made-up picture with the statistics of natural ones: discs that cover each other, of all sizes ("dead leaves": Lee, Mumford and Huang, "Occlusion Models for Natural Images", 2001).
 * Row by row, red, green and blue of each pixel from 0 to 1; each seed has its own brightness and contrast.
 */
export function deadLeaves(size: number, seed: number): Float32Array {
  const next = random(seed);
  const [brightness, contrast] = [0.25 + 0.5 * next(), 0.3 + 0.7 * next()];
  const image = new Float32Array(size * size * CHANNELS).fill(brightness);
  for (let disc = 0; disc < DISCS; disc += 1) {
    const share = next();
    const radius = 1 / Math.sqrt((1 - share) / LEAST_RADIUS ** 2 + share / GREATEST_RADIUS ** 2);
    const [x, y, grey] = [next() * size, next() * size, next()];
    const color = Array.from({ length: CHANNELS }, () => Math.min(1, Math.max(0, brightness + contrast * (0.7 * grey + 0.3 * next() - 0.5))));
    fillDisc(image, size, x, y, radius, color);
  }
  return image;
}

function fillDisc(image: Float32Array, size: number, x: number, y: number, radius: number, color: readonly number[]): void {
  for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(size - 1, Math.floor(y + radius)); row += 1) {
    const half = Math.sqrt(radius ** 2 - (row - y) ** 2);
    for (let column = Math.max(0, Math.ceil(x - half)); column <= Math.min(size - 1, Math.floor(x + half)); column += 1) image.set(color, (row * size + column) * CHANNELS);
  }
}
