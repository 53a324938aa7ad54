import { readFile } from 'node:fs/promises';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { buildStoryteller } from '../kernels/models/storyteller/program.ts';

/** The embedded language model's file of weights. */
export const readStorytellerWeights = (): Promise<Uint8Array> => readFile(new URL('../kernels/models/storyteller/weights.bin', import.meta.url));

/** The embedded language model (docs/model-card.md): `complete(string) → (string)`. */
export const loadStorytellerModel = async (): Promise<Model> => buildStoryteller(await readStorytellerWeights());
