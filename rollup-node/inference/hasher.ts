import { fastestHasher, wasmHasher, webGpuHasher } from '../../fraud-proof/trace/tensor-hasher.ts';
import type { TensorHasher } from '../../fraud-proof/trace/tensor-hasher.ts';
import type { HasherName } from './hasher-names.ts';

export interface OpenedHasher {
  readonly hasher: TensorHasher;
  dispose(): void;
}

const inWebAssembly: OpenedHasher = { hasher: wasmHasher, dispose: () => {} };

/**
 * Opens what commits to tensors in a dispute. `auto` is a GPU where there is one, and where a short measurement finds it right and faster than WebAssembly;
 * `webgpu` takes any device that computes correctly, a software driver included.
 * @throws UserError or WebGpuError for `webgpu`, when there is none
 */
export async function openHasher(name: HasherName): Promise<OpenedHasher> {
  if (name === 'wasm') return inWebAssembly;
  if (name === 'webgpu') return onDevice(true);
  const opened = await onDevice(false).catch(() => inWebAssembly);
  if (opened === inWebAssembly) return opened;
  const { hasher } = await fastestHasher([opened.hasher]);
  if (hasher === opened.hasher) return { ...opened, hasher: orWebAssembly(hasher) };
  opened.dispose();
  return inWebAssembly;
}

/** Goes on in WebAssembly once the device has failed: a dispute's clock runs. */
export function orWebAssembly(hasher: TensorHasher): TensorHasher {
  let hasFailed = false;
  return {
    ...hasher,
    commit: async (tensors) => {
      if (!hasFailed) {
        try {
          return await hasher.commit(tensors);
        } catch {
          hasFailed = true;
        }
      }
      return wasmHasher.commit(tensors);
    },
  };
}

/** Code for devices is loaded when it is asked for: Dawn alone is 30 MB. */
async function onDevice(allowSoftware: boolean): Promise<OpenedHasher> {
  const [{ openWebGpu }, { openDevice }, { createKeccakTrees }] = await Promise.all([
    import('../webgpu/open.ts'), import('../../deterministic-runtime/webgpu/device.ts'), import('../../deterministic-runtime/webgpu/keccak-trees.ts'),
  ]);
  const { gpu } = await openWebGpu({ allowSoftware });
  const device = await openDevice(gpu);
  const trees = await createKeccakTrees(device).catch((error: unknown) => {
    device.dispose();
    throw error;
  });
  return {
    hasher: webGpuHasher(trees),
    dispose: () => {
      trees.dispose();
      device.dispose();
    },
  };
}
