import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { wordCount } from '../../deterministic-runtime/program/tensor.ts';
import { UserError } from '../errors.ts';

/** Operators that an error message lists at most. */
const LISTED = 24;

/** A place that a user names. */
export interface FaultPlace {
  /** The operator's name, or its number in the program. */
  readonly operator: string;
  readonly word: number;
}

/** Reads `<operator>:<word>`; null when it is not of that form. */
export function parseFaultPlace(text: string): FaultPlace | null {
  const match = /^(.+):(\d{1,10})$/.exec(text);
  return match === null ? null : { operator: match[1] as string, word: Number(match[2]) };
}

/**
 * The slot of a place, in the first iteration for an operator of the body.
 * @throws UserError when the model has no such operator, or the operator no such word
 */
export function slotOfPlace({ operators, model }: EncodedModel, { operator, word }: FaultPlace): number {
  const found = operators.find((one) => one.operator.name === operator) ?? (/^\d+$/.test(operator) ? operators[Number(operator)] : undefined);
  if (found === undefined) {
    const names = operators.slice(0, LISTED).map((one) => one.operator.name).join(', ');
    throw new UserError(`the model has no operator ${operator}`, { hint: `it has ${operators.length}: ${names}${operators.length > LISTED ? ', …' : ''}` });
  }
  const { output, name } = found.operator;
  if (word >= wordCount(output)) throw new UserError(`operator ${name} has no word ${word}`, { hint: `its words are 0 to ${wordCount(output) - 1}` });
  return slotOf(model.program, found.section, found.index);
}
