import type { Random } from './random.ts';
import { story } from './stories.ts';

/** The token between texts: it begins and ends each. All other tokens are the bytes of UTF-8. */
export const END = 0;

/** A stretch of stories: `inputs[k]` is followed by `targets[k]`. */
export interface Stretch { readonly inputs: Uint8Array; readonly targets: Int32Array }

/**
 * As many stories as fill the positions, the first from its beginning; the last one is cut. Half of the stretches start with the token that begins
 * texts and half with the story's first byte, so that a model can be asked either way.
 */
export function drawStretch(random: Random, positions: number): Stretch {
  const tokens: number[] = random.chance(50) ? [END] : [];
  while (tokens.length <= positions) {
    const text = story(random);
    for (let index = 0; index < text.length; index += 1) tokens.push(text.charCodeAt(index));
    tokens.push(END);
  }
  return { inputs: Uint8Array.from(tokens.slice(0, positions)), targets: Int32Array.from(tokens.slice(1, positions + 1)) };
}
