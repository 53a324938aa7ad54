/** Elements in another order: coordinates below `sizes`, each `steps` elements apart in the source. */
export function rearrange(values: Int8Array, sizes: readonly number[], steps: readonly number[]): Int8Array {
  return values.map((_, index) => {
    let rest = index;
    let source = 0;
    for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
      const size = sizes[axis] ?? 1;
      source += (rest % size) * (steps[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return values[source] ?? 0;
  });
}
