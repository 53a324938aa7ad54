import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model, Operand, SlotPlace } from '../../deterministic-runtime/program/program.ts';
import { operandWords } from './word-runner.ts';
import type { OperandReader, OperandWords } from './word-runner.ts';

/** The tensors of one inference, as padded words. */
export interface InferenceTensors {
  readonly model: Model;
  readonly input: Uint8Array;
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** What a slot holds; undefined where nothing was written. Asked only about slots before the reader's. */
  slot(slot: number): Uint8Array | undefined;
}

/** What the operands of the operator at `place` read, for `runWord`: nothing of its own slot or a later one. */
export function operandReaders(tensors: InferenceTensors, place: SlotPlace): OperandReader[] {
  const reader = slotOf(tensors.model.program, place.section, place.index, place.iteration);
  return place.operator.operands.map((operand) => operandReader(tensors, reader, operand));
}

function operandReader(tensors: InferenceTensors, reader: number, operand: Operand): OperandReader {
  const { program, constants } = tensors.model;
  const view = (words: Uint8Array | undefined): OperandWords | null => (words === undefined ? null : operandWords(words));
  const inSlot = (slot: number): OperandWords | null => (slot < reader ? view(tensors.slot(slot)) : null);
  switch (operand.kind) {
    case 'constant':
      return view(constants[operand.constant]);
    case 'input':
      return view(tensors.input);
    case 'seed':
      return view(tensors.seed);
    case 'body': {
      const views = new Map<number, OperandWords | null>();
      return (iteration) => {
        if (iteration >= program.maxIterations) return null;
        const known = views.get(iteration);
        if (known !== undefined) return known;
        const found = inSlot(slotOf(program, 'body', operand.operator, iteration));
        views.set(iteration, found);
        return found;
      };
    }
    default:
      return inSlot(slotOf(program, operand.kind, operand.operator));
  }
}
