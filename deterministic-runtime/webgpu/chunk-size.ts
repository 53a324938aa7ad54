/** Iterations in a submit at most: by then what a submit costs is spread thin. */
const MOST = 16;
/** What a submit should take: short enough that tokens stream, that an abort is quick, and that no desktop takes the device away. */
const STREAMING_MILLISECONDS = 30;
const MILLISECONDS = 100;

/** How many iterations of a body go into the next submit: twice as many as before while submits are quick, half as many when they are slow. */
export class ChunkSize {
  readonly #target: number;
  readonly #least: number;
  readonly #most: number;
  readonly #now: () => number;
  #size: number;
  #last: number;

  /** `streams`: somebody waits for each iteration. `least`, to begin with, and `most`: iterations of a submit. `now`: a clock, in milliseconds. */
  constructor({ streams, least = 1, most = MOST, now = () => performance.now() }: { readonly streams: boolean; readonly least?: number; readonly most?: number; readonly now?: () => number }) {
    this.#size = least;
    this.#least = least;
    this.#most = most;
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
    if (each * this.#size > this.#target && this.#size > this.#least) this.#size = Math.max(this.#least, this.#size >> 1);
    else if (each * this.#size * 2 <= this.#target && this.#size < this.#most) this.#size = Math.min(this.#most, this.#size * 2);
  }
}
