import { WebGpuError } from './device.ts';

/**
 * Workgroups as two dimensions of at most `limit`; shaders skip what is too many.
 * @throws WebGpuError when even two dimensions are not enough.
 */
export function foldWorkgroups(workgroups: number, limit: number, what: string): readonly [number, number] {
  const rows = Math.ceil(workgroups / limit);
  if (rows > limit) throw new WebGpuError(`${what} needs ${workgroups} workgroups; the device allows ${limit} × ${limit}: use the wasm executor`);
  return [rows === 1 ? workgroups : Math.ceil(workgroups / rows), rows];
}
