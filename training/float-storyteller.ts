import { STORYTELLER } from '../kernels/models/storyteller/architecture.ts';
import { loadStoryteller } from '../kernels/models/storyteller/format.ts';
import { Transformer } from './transformer.ts';

/** The float model that was trained, with the weights of a file, for texts of so many positions. */
export async function floatStoryteller(weights: Uint8Array, positions = STORYTELLER.context): Promise<Transformer> {
  const model = new Transformer(STORYTELLER, positions);
  const source = loadStoryteller(weights);
  for (const { name, rows, start } of model.layout.all) model.values.set(await source.rows(name, 0, rows), start);
  return model;
}
