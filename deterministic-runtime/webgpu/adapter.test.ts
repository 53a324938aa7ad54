import { expect, test } from 'vitest';
import { describeAdapter } from './adapter.ts';

const adapter = (info: Partial<GPUAdapterInfo>): GPUAdapter => ({ info }) as unknown as GPUAdapter;

test.each([
  [{ vendor: 'google', architecture: 'swiftshader', device: 'swiftshader-device-subzero-', description: 'SwiftShader driver 5.0.0', isFallbackAdapter: true }, 'swiftshader-device-subzero (SwiftShader driver 5.0.0)', true],
  [{ vendor: '65541', architecture: '', device: '0', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }, 'llvmpipe (LLVM 15.0.6, 256 bits)', true],
  [{ vendor: 'nvidia', architecture: 'hopper', device: 'nvidia-h100', description: 'NVIDIA: 550.54', isFallbackAdapter: false }, 'nvidia-h100 (NVIDIA: 550.54)', false],
  [{ vendor: 'apple', architecture: 'metal-3', device: '', description: '' }, 'apple metal-3', false],
  [{}, 'unnamed adapter', false],
] as const)('%o', (info, description, isSoftware) => {
  expect(describeAdapter(adapter(info))).toEqual({ description, isSoftware });
});
