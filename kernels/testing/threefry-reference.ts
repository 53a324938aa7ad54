/** The first number of Threefry-4×64-20's block for the counter (iteration, 0, 0, 0) and 32 bytes of key, in bigints, as the paper's section 4.1 has it. */
export function threefryReference(seed: Uint8Array, iteration: number): bigint {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  const view = new DataView(seed.buffer, seed.byteOffset, 32);
  const keys = [0, 8, 16, 24].map((offset) => view.getBigUint64(offset, true));
  keys.push(keys.reduce((parity, key) => parity ^ key, 0x1bd11bdaa9fc1a22n));
  const rotations = [[14n, 16n], [52n, 57n], [23n, 40n], [5n, 37n], [25n, 33n], [46n, 12n], [58n, 22n], [32n, 32n]];
  const state = [BigInt(iteration), 0n, 0n, 0n].map((word, index) => wrap(word + keys[index]!));
  for (let round = 0; round < 20; round += 1) {
    const partners = round % 2 === 0 ? [1, 3] : [3, 1];
    [0, 2].forEach((left, pair) => {
      const right = partners[pair]!;
      const by = rotations[round % 8]![pair]!;
      state[left] = wrap(state[left]! + state[right]!);
      state[right] = wrap((state[right]! << by) | (state[right]! >> (64n - by))) ^ state[left]!;
    });
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    state.forEach((word, index) => { state[index] = wrap(word + keys[(injection + index) % 5]! + (index === 3 ? BigInt(injection) : 0n)); });
  }
  return state[0]!;
}
