import type { Model, Section } from '../program/program.ts';

/** Replaces a tensor right after its operator ran; everything after it is computed from the replacement. Tests and liars use it. */
export interface TensorOverride { readonly slot: number; readonly words: Uint8Array }

/** Where a run is: the prologue, one iteration of the body, or the epilogue (with `iteration` as in `SlotPlace`). */
export interface SectionRun { readonly section: Section; readonly iteration: number }

export interface RunOptions {
  /** 32 bytes; zero when absent. */
  readonly seed?: Uint8Array;
  /** `all` keeps every slot's tensor, which disputes need; `result` (default) only the last slot's. */
  readonly keep?: 'result' | 'all';
  readonly override?: TensorOverride;
  /**
   * The first iterations of the body that probably do not depend on what the body wrote later in its list an iteration before: a prompt's tokens.
   * An executor may run them side by side, once it has checked that; the result is the same whatever is said here.
   */
  readonly independentIterations?: number;
  /** Sees a body operator's tensor after each iteration, in order; for streaming. */
  readonly observe?: { readonly operator: number; readonly onTensor: (iteration: number, words: Uint8Array) => void };
  /**
   * Sees all tensors of the prologue, of each iteration and of the epilogue, in this order, once they are written. `tensor` gives an operator's padded words, which
   * stand until what is returned has resolved: the run waits for that.
   */
  readonly onWritten?: (run: SectionRun, tensor: (operator: number) => Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Iterations of the body that ran. */
  readonly iterations: number;
  /** The last slot's padded words. */
  readonly output: Uint8Array;
  /** A slot's padded words; undefined when never written or not kept. */
  tensor(slot: number): Uint8Array | undefined;
}

/** A run's options with copies of the caller's words, who may go on using his own. */
export const ownOptions = (options: RunOptions): RunOptions =>
  (options.override === undefined ? options : { ...options, override: { slot: options.override.slot, words: options.override.words.slice() } });

/** A model made ready: kernels compiled, constants in place. */
export interface PreparedModel {
  readonly model: Model;
  /** `input` is the input tensor's padded words. @throws RangeError on a wrong length or non-zero padding. */
  run(input: Uint8Array, options?: RunOptions): Promise<RunResult>;
  dispose(): Promise<void>;
}

/** Something that runs programs. All executors give the same bits. */
export interface Executor {
  readonly name: 'webgpu' | 'wasm' | 'lifted' | 'word-machine';
  /** The device, in words. */
  readonly adapter: string;
  prepare(model: Model): Promise<PreparedModel>;
  dispose(): Promise<void>;
}
