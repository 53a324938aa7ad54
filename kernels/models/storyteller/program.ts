import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { buildLanguageModel } from '../../language-model/program.ts';
import type { LanguageModelOptions } from '../../language-model/program.ts';
import { loadStoryteller } from './format.ts';

/** Bytes of a prompt, and of a continuation, at most; together they may not exceed the context's 320. */
export const PROMPT_LIMIT = 160;
export const STORY_LIMIT = 320;

/** How bytes are chosen: not always the likeliest, so that another seed tells another story. */
export const SETTINGS = { temperature: 0.7, topK: 40, topP: 1 } as const;

/**
 * The embedded model as a program `complete(string) → (string)`: continues a story for children, byte by byte, until its end. The request's
 * seed decides which story it becomes. docs/model-card.md says what it was trained on and what it cannot do.
 *
 * @param bytes the file `weights.bin`. @throws RangeError when it is not of its form
 */
export function buildStoryteller(bytes: Uint8Array, options: Pick<LanguageModelOptions, 'settings' | 'promptLimit' | 'newTokenLimit'> = {}): Promise<Model> {
  return buildLanguageModel(loadStoryteller(bytes), {
    name: 'storyteller',
    interface: 'bytes',
    promptLimit: PROMPT_LIMIT,
    newTokenLimit: STORY_LIMIT,
    // The file's weights have eight bits: nothing is lost.
    tokenWeightBits: 8,
    settings: SETTINGS,
    metadata: { license: 'MIT', card: 'docs/model-card.md' },
    ...options,
  });
}
