import type { ScenarioParts } from '../../../../fraud-proof/machine/testing/scenario.ts';

/** Simpler forms of a value, the simplest first. */
const simplerNumber = (value: number): number[] => [0, 1, Math.floor(value / 2), value - 1].filter((candidate) => candidate >= 0 && candidate < value);
const simplerScalar = (value: bigint): bigint[] => [0n, 1n, -1n, BigInt.asIntN(32, value), value / 2n].filter((candidate) => magnitude(candidate) < magnitude(value) || (candidate > value && candidate === -value));
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const isZero = (word: Uint8Array): boolean => word.every((byte) => byte === 0);
const zero = new Uint8Array(32);

function simplerWord(word: Uint8Array): Uint8Array[] {
  if (isZero(word)) return [];
  const halves = [word.map((byte, index) => (index < 16 ? byte : 0)), word.map((byte, index) => (index < 16 ? 0 : byte))];
  const single = word.findIndex((byte) => byte !== 0);
  return [zero, ...halves, word.with(single, 0)].filter((candidate) => candidate.some((byte, index) => byte !== word[index]));
}

/** `object` with each of some simpler values for one of its fields. */
function fieldCandidates<T extends object, K extends keyof T>(object: T, key: K, values: readonly T[K][]): T[] {
  return values.map((value) => ({ ...object, [key]: value }));
}

const listCandidates = <T>(list: readonly T[], simpler: (value: T) => readonly T[]): T[][] =>
  list.flatMap((value, index) => simpler(value).map((candidate) => list.with(index, candidate)));

function numberFields<T extends object>(object: T, keys: readonly (keyof T)[]): T[] {
  return keys.flatMap((key) => fieldCandidates(object, key, simplerNumber(object[key] as number) as T[keyof T][]));
}

/** Everything that is a little simpler than a step: one thing less each. */
function candidates(parts: ScenarioParts): ScenarioParts[] {
  const { header, descriptor, instruction, state, tensor } = parts;
  return [
    ...fieldCandidates(parts, 'tensor', tensor === null ? [] : [null, ...numberFields(tensor, ['wordCount']), ...fieldCandidates(tensor, 'word', simplerWord(tensor.word))]),
    ...fieldCandidates(parts, 'seed', simplerWord(parts.seed)),
    ...fieldCandidates(parts, 'header', [...numberFields(header, ['maxIterations', 'epilogue', 'body', 'prologue']), ...((header.filler ?? 0n) === 0n ? [] : [{ ...header, filler: 0n }])]),
    ...fieldCandidates(parts, 'descriptor', [
      ...numberFields(descriptor, ['operandCount', 'codeLength', 'rows', 'columns', 'elementBytes']),
      ...((descriptor.filler ?? 0n) === 0n ? [] : [{ ...descriptor, filler: 0n }]),
      ...fieldCandidates(descriptor, 'operands', listCandidates(descriptor.operands, (operand) => numberFields(operand, ['kind', 'index']))),
    ]),
    ...fieldCandidates(parts, 'instruction', numberFields(instruction, ['x', 'd', 'a', 'b'])),
    ...fieldCandidates(parts, 'state', [
      ...numberFields(state, ['slot', 'word', 'pc']),
      ...fieldCandidates(state, 'scalars', listCandidates(state.scalars, simplerScalar)),
      ...fieldCandidates(state, 'vectors', listCandidates(state.vectors, simplerWord)),
      ...fieldCandidates(state, 'counters', listCandidates(state.counters, simplerNumber)),
    ]),
  ];
}

/** The simplest step found that still fails, by taking away one thing after another. `fails` must be true of `parts`. */
export async function shrinkStep(parts: ScenarioParts, fails: (parts: ScenarioParts) => Promise<boolean>): Promise<ScenarioParts> {
  let smallest = parts;
  for (let found = true; found;) {
    found = false;
    // After a success the list is a new one, whose earlier candidates are mostly those that were tried already: they wait for the next round.
    for (let index = 0; ; index += 1) {
      const candidate = candidates(smallest)[index];
      if (candidate === undefined) break;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      index -= 1;
    }
  }
  return smallest;
}
