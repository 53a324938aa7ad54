/** Random numbers in [0, 1), the same ones for a seed: a linear congruential generator (Numerical Recipes, third edition, 7.1.6). */
export function random(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Inputs one after another. */
export function joined(inputs: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(inputs.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const input of inputs) {
    all.set(input, offset);
    offset += input.length;
  }
  return all;
}
