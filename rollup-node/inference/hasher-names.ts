/** What the configuration may name for committing to tensors in a dispute. */
export const HASHER_NAMES = ['auto', 'wasm', 'webgpu'] as const;
export type HasherName = (typeof HASHER_NAMES)[number];
