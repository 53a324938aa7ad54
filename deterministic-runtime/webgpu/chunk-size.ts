/** Iterations in a submit at most: by then what a submit costs is spread thin. */
const MOST = 16;
/** What a submit should take: short enough that tokens stream, that an abort is quick, and that no desktop takes the device away. */
const STREAMING_MILLISECONDS = 30;
const MILLISECONDS = 100;

/** How many iterations of a body go into the next submit: twice as many as before while submits are quick, half as many when they are slow. */
export class ChunkSize {
  readonly #target: number;
  readonly #now: () => number;
  #size = 1;
  #last: number;

  /** `streams`: somebody waits for each iteration. `now`: a clock, in milliseconds. */
  constructor({ streams, now = () => performance.now() }: { readonly streams: boolean; readonly now?: () => number }) {
    this.#target = streams ? STREAMING_MILLISECONDS : MILLISECONDS;
    this.#now = now;
    this.#last = now();
  }

  get next(): number {
    return this.#size;
  }

  /** Tells that a submit of so many iterations has finished; they finish one after another. */
  finished(iterations: number): void {
    const now = this.#now();
    const each = (now - this.#last) / iterations;
    this.#last = now;
    if (each * this.#size > this.#target && this.#size > 1) this.#size /= 2;
    else if (each * this.#size * 2 <= this.#target && this.#size < MOST) this.#size *= 2;
  }
}
