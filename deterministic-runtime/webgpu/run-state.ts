import { WORD_BYTES } from '../program/tensor.ts';
import { bufferCode, UNITS_PER_WORD } from './wgsl-buffers.ts';

/** Bytes of the buffer `Run`, which shaders see as a uniform. */
export const RUN_BYTES = 32;
/** Where in it the nonce lies. */
export const NONCE_OFFSET = 16;

/** Where in it stands how many iterations run side by side. */
export const SIDE_BY_SIDE_OFFSET = 20;

/**
 * What shaders know of the run. `writtenNow` and `writtenBefore`: iterations whose tensors operators see that stand after their writer, and those
 * that stand before it. While `running` is 0, dispatches have no effect.
 * `sideBySide`: iterations from `iteration` on that are computed at once, where they are.
 */
export const RUN_STRUCT = 'struct Run { iteration: u32, writtenNow: u32, writtenBefore: u32, running: u32, nonce: u32, sideBySide: u32, unused0: u32, unused1: u32 }';

/** The content of `Run` at a section's start, without its nonce. */
export interface Moment {
  readonly iteration: number;
  readonly writtenNow: number;
  readonly writtenBefore: number;
}

/** `Run` as bytes. */
export const encodeMoment = ({ iteration, writtenNow, writtenBefore }: Moment): Uint32Array<ArrayBuffer> => new Uint32Array([iteration, writtenNow, writtenBefore, 1]);

/** Where the stop word of the body's last operator lies. */
export interface StopWord {
  readonly tensorBytes: number;
  /** 32-bit units from one iteration's tensor to the next; 0 when there is one alone. */
  readonly iterationStride: number;
  readonly shards: number;
  readonly shardUnits: number;
  readonly maxIterations: number;
}

/** WGSL that goes on with iteration `done`, or ends the run of the body if `bits` of the stop word are set or it was the last. */
export const nextIteration = (maxIterations: number): string => `  run.writtenBefore = done;
  if ((bits != 0u) || (done == ${maxIterations}u)) {
    run.running = 0u;
  } else {
    run.iteration = done;
    run.writtenNow = done + 1u;
  }`;

/**
 * Ends an iteration on the device: the next one begins, or the run of the body is over, and then what has been submitted already does
 * nothing. So iterations can be submitted without waiting for the stop word. Binding 0 is `Run`, those from 1 hold the stop word.
 */
export function advanceShader({ tensorBytes, iterationStride, shards, shardUnits, maxIterations }: StopWord): string {
  const stop = bufferCode('stop', { firstBinding: 1, shards, shardUnits });
  const first = (tensorBytes - WORD_BYTES) / 4;
  return `${RUN_STRUCT}
@group(0) @binding(0) var<storage, read_write> run: Run;
${stop.code}
@compute @workgroup_size(1) fn main() {
  if (run.running == 0u) { return; }
  let first = run.iteration * ${iterationStride}u + ${first}u;
  var bits = 0u;
  for (var unit = 0u; unit < ${UNITS_PER_WORD}u; unit = unit + 1u) { bits = bits | ${stop.at('first + unit')}; }
  let done = run.iteration + 1u;
${nextIteration(maxIterations)}
}`;
}

/** Bytes that the witness leaves. */
export const WITNESS_BYTES = 12;

/** Writes the nonce behind everything else in a submit, as a witness that the device got that far, and how far the body is. */
export const WITNESS_SHADER = `${RUN_STRUCT}
@group(0) @binding(0) var<uniform> run: Run;
@group(0) @binding(1) var<storage, read_write> witness: array<u32>;
@compute @workgroup_size(1) fn main() {
  witness[0] = run.nonce;
  witness[1] = run.writtenBefore;
  witness[2] = run.running;
}`;

/** What the witness saw. */
export interface Witness {
  readonly nonce: number;
  /** Iterations of the body that have run. */
  readonly written: number;
  readonly running: boolean;
}

export function decodeWitness(bytes: Uint8Array): Witness {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WITNESS_BYTES);
  return { nonce: view.getUint32(0, true), written: view.getUint32(4, true), running: view.getUint32(8, true) !== 0 };
}
