import { MAX_LOOP_BOUND } from '../word-code/structure.ts';
import { checkShape } from '../language/specialize.ts';
import { checkedConstants } from './checked-constants.ts';
import { encodeModel } from './encoding.ts';
import type { EncodedModel } from './encoding.ts';
import type { CompiledOperator } from './compile.ts';
import { LIMITS, SECTIONS, slotCount } from './program.ts';
import type { Model, Program } from './program.ts';
import { byteLength, paddingIsZero, sameShape, wordCount } from './tensor.ts';

/** Longest signature, in characters. */
export const MAX_SIGNATURE_LENGTH = 1024;
/** Most constants: an operand's index has 24 bits. */
const MAX_CONSTANTS = 2 ** 24;

/** A model that no node may serve or check; the message says what is wrong with it. */
export class AdmissionError extends Error {
  override readonly name = 'AdmissionError';
}

/**
 * Checks everything that docs/word-machine.md asks of a model under "Admission", and encodes it.
 * @throws AdmissionError that names the first thing wrong
 */
export function admit(model: Model): EncodedModel {
  const { program } = model;
  try {
    checkProgram(program);
    checkConstants(model);
    const encoded = encodeModel(model);
    for (const operator of encoded.operators) checkCode(program, operator);
    if (encoded.steps > BigInt(LIMITS.steps)) refuse(`it takes ${encoded.steps} steps, more than ${LIMITS.steps}`);
    return encoded;
  } catch (error) {
    if (error instanceof AdmissionError || !(error instanceof Error)) throw error;
    throw new AdmissionError(`the model is not admissible: ${error.message}`, { cause: error });
  }
}

function refuse(reason: string): never {
  throw new AdmissionError(`the model is not admissible: ${reason}`);
}

function checkProgram(program: Program): void {
  const { body, epilogue, constants, input, maxIterations, signature } = program;
  for (const section of SECTIONS) {
    if (program[section].length > LIMITS.operatorsPerSection) refuse(`its ${section} has ${program[section].length} operators, more than ${LIMITS.operatorsPerSection}`);
  }
  if (!Number.isInteger(maxIterations) || maxIterations < 0 || maxIterations >= 2 ** 32) refuse(`it has ${maxIterations} iterations`);
  if ((body.length === 0) !== (maxIterations === 0)) refuse(`its body has ${body.length} operators and runs ${maxIterations} times: both are 0, or neither`);
  if (body.length > 0 && epilogue.length === 0) refuse('it has a body but no epilogue, so its last slot may stay empty');
  const slots = slotCount(program);
  if (slots === 0) refuse('it has no operators');
  if (slots > LIMITS.slots) refuse(`it has ${slots} slots, more than ${LIMITS.slots}`);
  const stop = body.at(-1);
  if (stop !== undefined && wordCount(stop.output) !== 1) refuse(`the body's last operator, '${stop.name}', writes ${wordCount(stop.output)} words; it says when to stop, in one word`);
  if (signature.length === 0 || signature.length > MAX_SIGNATURE_LENGTH) refuse(`its signature has ${signature.length} characters, not 1 to ${MAX_SIGNATURE_LENGTH}`);
  if (constants.length >= MAX_CONSTANTS) refuse(`it has ${constants.length} constants, not fewer than ${MAX_CONSTANTS}`);
  checkShape(input, 'the input');
  constants.forEach((shape, index) => checkShape(shape, `constant ${index}`));
  for (const section of SECTIONS) {
    program[section].forEach(({ name, output }, index) => checkShape(output, `the output of '${name}' (${section} ${index})`));
  }
}

function checkConstants({ program, constants }: Model): void {
  if (constants.length !== program.constants.length) refuse(`the program names ${program.constants.length} constants, but there are ${constants.length}`);
  const checked = checkedConstants(constants);
  program.constants.forEach((shape, index) => {
    const known = checked?.[index];
    if (known !== undefined && sameShape(known.shape, shape)) return;
    const words = constants[index]!;
    if (words.length !== byteLength(shape)) refuse(`constant ${index} has ${words.length} bytes, not ${byteLength(shape)} (${shape.rows} × ${shape.columns} ${shape.element}, padded)`);
    if (!paddingIsZero(shape, words)) refuse(`constant ${index} has padding that is not zero`);
  });
}

function checkCode(program: Program, { section, index, operator, steps }: CompiledOperator): void {
  const where = `operator '${operator.name}' (${section} ${index})`;
  const last = { prologue: 0, body: program.maxIterations - 1, epilogue: program.maxIterations }[section];
  const first = section === 'body' ? 0 : last;
  const { fewest, most } = steps.roundsBetween(first, last);
  if (fewest < 1 || most > MAX_LOOP_BOUND) refuse(`${where} has a loop of ${fewest < 1 ? fewest : most} rounds, not 1 to ${MAX_LOOP_BOUND}`);
  const word = steps.word(last, 0);
  if (word > BigInt(LIMITS.stepsPerWord)) refuse(`${where} takes ${word} steps a word, more than ${LIMITS.stepsPerWord}`);
}
