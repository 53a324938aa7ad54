import { NOT_WRITTEN } from '../../deterministic-runtime/commitment/tree.ts';
import type { ProvingEnvironment } from '../machine/proof.ts';
import type { RunTensors } from './run-tensors.ts';
import type { StepLocation } from './step-index.ts';

/** What a proof of the step at `location` (null: none, the machine has finished) is made from. */
export function provingEnvironment(tensors: RunTensors, inputCommitment: Uint8Array, location: StepLocation | null): ProvingEnvironment {
  const { operators, operatorTree, header } = tensors.encoded;
  const view = location === null ? tensors.final() : tensors.before(location.slot, location.word);
  const currentSlot = location?.slot ?? Number.POSITIVE_INFINITY;
  const operator = (number: number) => {
    const found = operators[number];
    if (found === undefined) throw new RangeError(`the model has no operator ${number}`);
    return found;
  };
  return {
    header,
    inputCommitment,
    seed: tensors.seed,
    descriptor: (number) => operator(number).descriptor,
    descriptorPath: (number) => operatorTree.path(number),
    codeWord: (number, index) => operator(number).codeTree.node(0, index),
    codePath: (number, index) => operator(number).codeTree.path(index),
    slotCommitment: (slot) => (slot < currentSlot ? tensors.slotCommitment(slot) : slot === currentSlot ? view.current : NOT_WRITTEN),
    slotPath: (slot) => view.path(slot),
    tensor(reference) {
      const tree = tensors.tree(reference);
      return { root: tree.root, wordCount: tree.leafCount, word: (index) => tree.node(0, index), path: (index) => tree.path(index) };
    },
    partialTensor(slot, word) {
      const partial = tensors.slotTree(slot).prefix(word);
      return { root: partial.root, path: partial.path(word) };
    },
  };
}
