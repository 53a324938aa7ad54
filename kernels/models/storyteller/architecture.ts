import type { Architecture } from '../../language-model/architecture.ts';

/** The embedded model: tokens are bytes, byte 0 begins and ends a text, and the embedding is the output layer too. */
export const STORYTELLER: Architecture = {
  family: 'llama',
  vocabulary: 256,
  width: 128,
  hidden: 256,
  layers: 4,
  heads: 4,
  keyValueHeads: 2,
  headSize: 32,
  context: 320,
  normEpsilon: 1e-5,
  rotary: { base: 10_000, pairs: 'adjacent' },
  beginToken: 0,
  endTokens: [0],
};
