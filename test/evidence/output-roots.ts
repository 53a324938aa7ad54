import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { landeContestant, mnistContestant } from '../disputes/contestants.ts';
import type { Contestant } from '../disputes/random-matches.ts';
import { modelFiles } from '../models/model-files.ts';

/** How many inputs of each model. */
export interface InputCounts { readonly lande: number; readonly mnist: number }

/** Commitments of outputs in hex, by model, in the order of the inputs' numbers. */
export type OutputRoots = Readonly<Record<keyof InputCounts, readonly string[]>>;

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function rootsOf(executor: Executor, { model, input }: Contestant, count: number): Promise<string[]> {
  const prepared = await executor.prepare(model);
  const roots: string[] = [];
  for (let number = 0; number < count; number += 1) roots.push(hex(commitTensor((await prepared.run(input(number))).output)));
  await prepared.dispose();
  return roots;
}

/** The roots of what both models answer, on paragraphs of the declaration and on MNIST test digits. Works under Node and Deno. */
export async function outputRoots(executor: Executor, counts: InputCounts): Promise<OutputRoots> {
  const folder = modelFiles();
  if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
  return {
    lande: await rootsOf(executor, await landeContestant(), counts.lande),
    mnist: await rootsOf(executor, mnistContestant(folder), counts.mnist),
  };
}
