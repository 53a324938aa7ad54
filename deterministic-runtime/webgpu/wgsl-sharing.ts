import type { ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedReduction } from '../language/specialized.ts';
import { combine } from './wgsl-operators.ts';
import type { Call } from './wgsl-operators.ts';

/** How a workgroup divides reductions: `slices` invocations each take every `slices`-th term. */
export interface Sharing {
  readonly slices: number;
  /** Invocations in the workgroup. */
  readonly invocations: number;
  /** From one slice of a tile to the next, in invocations. */
  readonly stride: number;
  /** Values that are combined at a time, at most. */
  readonly most: number;
  readonly isShared: (reduction: SpecializedReduction) => boolean;
}

/** A reduction's value in one invocation, and what its total is to be called. */
interface PartialValue {
  readonly operator: ReductionOperator;
  readonly type: ScalarType;
  readonly accumulator: string;
  readonly name: string;
}

/**
 * Statements that combine the slices' partial values, of all reductions at once: a tree in workgroup memory, the same total for every slice.
 * Neighbouring invocations touch neighbouring addresses in every step, so banks do not conflict.
 */
export function shareCode(partials: readonly PartialValue[], { slices, invocations, stride }: Sharing, call: Call): string[] {
  const counts = { i32: 0, i64: 0 };
  const placed = partials.map((partial) => {
    const first = counts[partial.type] * invocations;
    counts[partial.type] += 1;
    return { ...partial, at: (index: string): string => `partial_${partial.type}[${first}u + ${index}]` };
  });
  const combined = placed.map(({ operator, type, at }) => `${at('local')} = ${combine(operator, type, at('local'), at('other'), call)};`);
  return [
    ...placed.map(({ at, accumulator }) => `${at('local')} = ${accumulator};`),
    'workgroupBarrier();',
    `for (var step = ${slices / 2}u; step > 0u; step = step / 2u) {`,
    '  if (slice < step) {',
    `    let other = local + step * ${stride}u;`,
    ...combined.map((line) => `    ${line}`),
    '  }',
    '  workgroupBarrier();',
    '}',
    ...placed.map(({ name, at }) => `let ${name} = ${at(`(local - slice * ${stride}u)`)};`),
    // The next tree writes where this one is still being read.
    'workgroupBarrier();',
  ];
}

/** Workgroup memory for so many values of each type. */
export function sharedMemory({ i32, i64 }: Readonly<Record<ScalarType, number>>, invocations: number): string[] {
  return [
    ...(i32 === 0 ? [] : [`var<workgroup> partial_i32: array<i32, ${i32 * invocations}>;`]),
    ...(i64 === 0 ? [] : [`var<workgroup> partial_i64: array<vec2<u32>, ${i64 * invocations}>;`]),
  ];
}
