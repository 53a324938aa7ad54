import { describe, expect, test } from 'vitest';
import { packTensor } from '../deterministic-runtime/program/tensor.ts';
import { smallClassifier, smallClassifierInput } from '../test/models/small-classifier.ts';
import { executorByName, EXECUTOR_NAMES } from './executors.ts';
import { hasGpuDevice } from './webgpu/vulkan.ts';

describe('executorByName', () => {
  test('all executors give the same result', async () => {
    const model = smallClassifier();
    const input = packTensor(model.program.input, smallClassifierInput());
    const outputs = new Map<string, Uint8Array>();
    for (const name of EXECUTOR_NAMES) {
      const executor = await executorByName(name);
      if (name !== 'auto') expect(executor.name).toBe(name);
      expect(executor.adapter).not.toBe('');
      const prepared = await executor.prepare(model);
      outputs.set(name, (await prepared.run(input)).output);
      await prepared.dispose();
      await executor.dispose();
    }
    expect(new Set([...outputs.values()].map((output) => output.join())).size).toBe(1);
    expect(outputs.get('webgpu')).toHaveLength(32);
  });

  test.skipIf(hasGpuDevice())('auto is WebAssembly without a GPU', async () => {
    const executor = await executorByName('auto');
    expect(executor.name).toBe('wasm');
    await executor.dispose();
  });

  test('refuses other names', async () => {
    await expect(executorByName('cuda')).rejects.toMatchObject({ name: 'UserError', message: "there is no executor 'cuda'", hint: expect.stringContaining('wasm') });
    await expect(executorByName('toString')).rejects.toThrow(/no executor/);
  });
});
