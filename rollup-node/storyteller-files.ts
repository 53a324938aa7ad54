import { readFile } from 'node:fs/promises';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { buildStoryteller } from '../kernels/models/storyteller/program.ts';

/** The embedded language model (docs/model-card.md): `complete(string) → (string)`. */
export async function loadStorytellerModel(): Promise<Model> {
  return buildStoryteller(await readFile(new URL('../kernels/models/storyteller/weights.bin', import.meta.url)));
}
