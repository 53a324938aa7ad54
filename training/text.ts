import type { Random } from './random.ts';
import { LONGEST_STORY, inventName, story } from './stories.ts';

/** The token between texts: it begins and ends each. All other tokens are the bytes of UTF-8. */
export const END = 0;

/** A stretch of stories: `inputs[k]` is followed by `targets[k]`. */
export interface Stretch { readonly inputs: Uint8Array; readonly targets: Int32Array }

/**
 * As many stories as fill the positions, the first from its beginning; the last one is cut. Half of the stretches start with the token that begins
 * texts and half with the story's first byte, so that a model can be asked either way. Stretches that are shorter than a story begin anywhere.
 */
export function drawStretch(random: Random, positions: number): Stretch {
  const tokens: number[] = random.chance(50) ? [END] : [];
  const skipped = positions < LONGEST_STORY ? random.below(LONGEST_STORY) : 0;
  while (tokens.length <= skipped + positions) {
    const text = story(random);
    for (let index = 0; index < text.length; index += 1) tokens.push(text.charCodeAt(index));
    tokens.push(END);
  }
  return { inputs: Uint8Array.from(tokens.slice(skipped, skipped + positions)), targets: Int32Array.from(tokens.slice(skipped + 1, skipped + positions + 1)) };
}

/**
 * A list of two or three made-up names in random order, over and over, from its beginning: who continues it has to look back for how a name goes on.
 * Attention learns to copy from such lists within minutes, and from stories hardly at all.
 */
export function drawNames(random: Random, positions: number): Stretch {
  const names = Array.from({ length: 2 + random.below(2) }, () => inventName(random, []));
  let text = '';
  while (text.length <= positions) text += `${random.pick(names)} `;
  const tokens = Array.from({ length: positions + 1 }, (_, index) => text.charCodeAt(index));
  return { inputs: Uint8Array.from(tokens.slice(0, positions)), targets: Int32Array.from(tokens.slice(1)) };
}
