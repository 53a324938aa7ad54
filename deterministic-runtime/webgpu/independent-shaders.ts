import { WORD_BYTES } from '../program/tensor.ts';
import { nextIteration, RUN_STRUCT } from './run-state.ts';
import type { StopWord } from './run-state.ts';
import { bufferCode, UNITS_PER_WORD } from './wgsl-buffers.ts';
import { mainOf } from './wgsl-main.ts';

/** Bytes of the number that tells the first iteration, counted from the first side by side, in which something differs. */
export const DIFFERENCE_BYTES = 4;
/** What it is before anything was compared. */
export const NO_DIFFERENCE = 0xffff_ffff;
/** Invocations of a workgroup that compares, a unit each. */
export const COMPARED_TOGETHER = 64;

/** Where the tensors of an operator lie that was computed twice. */
export interface ComparedTensors {
  /** 32-bit units of one tensor. */
  readonly units: number;
  /** True where the first ones lie in a buffer of all iterations. */
  readonly keepsIterations: boolean;
  readonly shards: number;
  readonly shardUnits: number;
}

/**
 * Compares an operator's tensors with what was computed once more, and notes the first iteration that differs. The first of all is not looked at: what it read
 * was there before. Bindings: `Run`, the note, the tensors, those of the second time.
 */
export function compareShader({ units, keepsIterations, shards, shardUnits }: ComparedTensors): string {
  const stored = bufferCode('stored', { firstBinding: 2, shards, shardUnits });
  return `${RUN_STRUCT}
@group(0) @binding(0) var<uniform> run: Run;
@group(0) @binding(1) var<storage, read_write> difference: atomic<u32>;
${stored.code}
@group(0) @binding(${2 + shards}) var<storage, read> again: array<u32>;
${mainOf(COMPARED_TOGETHER)}
  let unit = group * ${COMPARED_TOGETHER}u + local;
  if ((unit < ${units}u) || (unit >= run.sideBySide * ${units}u)) { return; }
  let before = ${stored.at(keepsIterations ? `run.iteration * ${units}u + unit` : 'unit')};
  if (before != again[unit]) { atomicMin(&difference, unit / ${units}u); }
}`;
}

/**
 * Ends iterations that ran side by side: those before the first difference count, up to one that says that the body stops. Bindings: `Run`, the note of the
 * difference, the stop words.
 */
export function finishShader({ tensorBytes, iterationStride, shards, shardUnits, maxIterations }: StopWord): string {
  const stop = bufferCode('stop', { firstBinding: 2, shards, shardUnits });
  const units = tensorBytes / 4;
  const first = (tensorBytes - WORD_BYTES) / 4;
  return `${RUN_STRUCT}
@group(0) @binding(0) var<storage, read_write> run: Run;
@group(0) @binding(1) var<storage, read_write> difference: atomic<u32>;
${stop.code}
@compute @workgroup_size(1) fn main() {
  if (run.running == 0u) { return; }
  let right = min(run.sideBySide, atomicLoad(&difference));
  var ran = 0u;
  var bits = 0u;
  while ((ran < right) && (bits == 0u)) {
    let start = ${iterationStride === 0 ? 'ran' : '(run.iteration + ran)'} * ${units}u + ${first}u;
    for (var unit = 0u; unit < ${UNITS_PER_WORD}u; unit = unit + 1u) { bits = bits | ${stop.at('start + unit')}; }
    ran = ran + 1u;
  }
  let done = run.iteration + ran;
${nextIteration(maxIterations)}
}`;
}
