import { LIMITS } from '../../deterministic-runtime/program/program.ts';

/** Words of a program header. */
export const HEADER_WORDS = 8;
const WORD = 32;

/** What the machine reads of a program header. Everything else in it is bound by the model's id alone. */
export interface ProgramHeader {
  /** Numbers of operators in the prologue, the body and the epilogue. */
  readonly prologue: number;
  readonly body: number;
  readonly epilogue: number;
  readonly maxIterations: number;
  /** Root of the tree over the descriptors' hashes. */
  readonly operatorsRoot: Uint8Array;
}

/** Reads a header's eight words. @throws RangeError on another length. */
export function decodeHeader(words: Uint8Array): ProgramHeader {
  if (words.length !== HEADER_WORDS * WORD) throw new RangeError(`a program header has ${HEADER_WORDS * WORD} bytes, not ${words.length}`);
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  return {
    prologue: view.getUint32(2 * WORD - 4),
    body: view.getUint32(2 * WORD - 8),
    epilogue: view.getUint32(2 * WORD - 12),
    maxIterations: view.getUint32(2 * WORD - 16),
    operatorsRoot: words.slice(2 * WORD, 3 * WORD),
  };
}

/** Operators in all sections: leaves of the operators' tree. */
export const operatorCount = (header: ProgramHeader): number => header.prologue + header.body + header.epilogue;

/** The epilogue's first slot. */
export const epilogueStart = (header: ProgramHeader): number => header.prologue + header.maxIterations * header.body;

/** `P + maxIterations·B + E`. Exact whenever the section counts are within the limits. */
export const slotCount = (header: ProgramHeader): number => epilogueStart(header) + header.epilogue;

/** False when a count passes the machine's limits: such a program fails in its first step. */
export function withinLimits(header: ProgramHeader): boolean {
  const sections = [header.prologue, header.body, header.epilogue];
  return sections.every((count) => count <= LIMITS.operatorsPerSection) && slotCount(header) <= LIMITS.slots;
}

/** Which operator writes a slot. */
export interface OperatorPlace {
  readonly section: 'prologue' | 'body' | 'epilogue';
  /** Index in its section. */
  readonly index: number;
  /** Number in the operators' tree: prologue, body, epilogue. */
  readonly operator: number;
  /** `ITERATION`: 0 in the prologue, `maxIterations` in the epilogue. */
  readonly iteration: number;
}

/** The operator that writes `slot`; null when there is no such slot. */
export function operatorPlace(header: ProgramHeader, slot: number): OperatorPlace | null {
  const { prologue, body, maxIterations } = header;
  if (slot < prologue) return { section: 'prologue', index: slot, operator: slot, iteration: 0 };
  const inBody = slot - prologue;
  if (inBody < maxIterations * body) {
    const index = inBody % body;
    return { section: 'body', index, operator: prologue + index, iteration: Math.floor(inBody / body) };
  }
  const index = inBody - maxIterations * body;
  if (index >= header.epilogue) return null;
  return { section: 'epilogue', index, operator: prologue + body + index, iteration: maxIterations };
}
