import { afterEach, describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { checkDevice, WebGpuError } from '../../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { executorOn } from '../../deterministic-runtime/webgpu/executor.ts';
import { foldWorkgroups } from '../../deterministic-runtime/webgpu/workgroups.ts';
import { fromUnsigned } from '../../kernels/requantize.ts';
import { smallClassifier, smallClassifierInput } from '../models/small-classifier.ts';
import { openCheckedDevice } from './open-webgpu.ts';

const model = smallClassifier();
const input = packTensor(model.program.input, smallClassifierInput());

const devices: CheckedDevice[] = [];
const openDevice = async (): Promise<{ readonly gpu: GPU; readonly device: CheckedDevice }> => {
  const opened = await openCheckedDevice();
  devices.push(opened.device);
  return opened;
};
afterEach(() => {
  for (const device of devices.splice(0)) device.dispose();
});

/** A device like `device`, with some of the GPUDevice's members replaced. */
function withMembers(device: GPUDevice, members: Partial<Record<keyof GPUDevice, unknown>>): GPUDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name in members) return members[name as keyof GPUDevice];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const limitsOf = ({ limits }: CheckedDevice): GPUSupportedLimits => {
  const names = [...Object.keys(limits), ...Object.getOwnPropertyNames(Object.getPrototypeOf(limits))] as (keyof GPUSupportedLimits)[];
  return Object.fromEntries(names.filter((name) => typeof limits[name] === 'number').map((name) => [name, limits[name]])) as unknown as GPUSupportedLimits;
};

/** Runs the identity over a tensor of this many rows of a word each. */
function largeModel(rows: number): Model {
  const shape = { element: 'i8', rows, columns: 32 } as const;
  return {
    program: {
      name: 'large', signature: 'large(uint8[])->(int8[])', input: shape, kernels: [fromUnsigned], constants: [],
      prologue: [{ name: 'signed', kernel: 0, parameters: {}, output: shape, operands: [{ kind: 'input' }] }], body: [], epilogue: [], maxIterations: 0, metadata: {},
    },
    constants: [],
  };
}

describe('what WebGPU would swallow', () => {
  test('a shader that is not valid', async () => {
    const { device } = await openDevice();
    await expect(device.createPipeline('a bad shader', 'fn main() -> nonsense {}', ['uniform', 'storage'])).rejects.toThrow(/compiling a bad shader: .*nonsense/);
    await expect(device.createPipeline('a bad shader', 'fn main() -> nonsense {}', ['uniform', 'storage'])).rejects.toBeInstanceOf(WebGpuError);
  });

  test('an invalid submit', async () => {
    const { device } = await openDevice();
    const buffer = await device.createBuffer('a buffer', 64, 0x84);
    const outside = device.submit('copying', () => {}, [{ buffer, offset: 32, size: 64 }]);
    await expect(outside).rejects.toThrow(/^copying: .*(?:range|bounds|fit|overrun)/i);
  });

  test('memory that is exhausted, and internal errors', async () => {
    const { device } = await openDevice();
    for (const message of ['not enough memory', 'the compiler crashed']) {
      let pops = 0;
      const failing = checkDevice(withMembers(device.device, {
        popErrorScope: async () => {
          await device.device.popErrorScope();
          pops += 1;
          return pops === 2 ? { message: `${message}\nand details` } : null;
        },
      }), device);
      await expect(failing.createBuffer('a tensor', 64, 0x80)).rejects.toThrow(new RegExp(`^allocating a tensor: ${message}$`));
    }
  });

  test('a buffer beyond the limits', async () => {
    const { device } = await openDevice();
    const limit = device.limits.maxBufferSize;
    await expect(device.createBuffer('a tensor', limit + 4, 0x80)).rejects.toThrow(/a tensor needs a buffer of \d+ bytes; .* allows \d+: use the wasm executor/);
  });

  test('a tensor of more parts than a shader may bind, and of more bytes than it can address', async () => {
    const { gpu, device } = await openDevice();
    const small: CheckedDevice = { ...device, limits: { ...limitsOf(device), maxStorageBufferBindingSize: 100 } };
    const executor = await executorOn(small, { gpu });
    const most = device.limits.maxStorageBuffersPerShaderStage;
    await expect(executor.prepare(largeModel(2 * most))).rejects.toThrow(new RegExp(`operator 'signed' needs ${2 * most} buffers; .* allows ${most}: use the wasm executor`));
    await expect(executor.prepare(largeModel(2 ** 27))).rejects.toThrow(new RegExp(`'large', input needs ${2 ** 32} bytes; a shader can reach ${64 * most}: use the wasm executor`));
  });

  test('too many workgroups', () => {
    expect(foldWorkgroups(1, 65535, 'x')).toEqual([1, 1]);
    expect(foldWorkgroups(65535, 65535, 'x')).toEqual([65535, 1]);
    expect(foldWorkgroups(65536, 65535, 'x')).toEqual([32768, 2]);
    expect(foldWorkgroups(7, 3, 'x')).toEqual([3, 3]);
    expect(() => foldWorkgroups(10, 3, "operator 'wide'")).toThrow(/operator 'wide' needs 10 workgroups; the device allows 3 × 3/);
  });

  test('a device that is lost, before a run and within it', async () => {
    const { gpu, device } = await openDevice();
    const executor = await executorOn(device, { gpu });
    const prepared = await executor.prepare(model);
    expect((await prepared.run(input)).output).toEqual(evaluateProgram(model, input).output);
    const running = prepared.run(input);
    device.device.destroy();
    await expect(running).rejects.toThrow(/the WebGPU device is lost \(destroyed/);
    await expect(prepared.run(input)).rejects.toBeInstanceOf(WebGpuError);
    await expect(executor.prepare(model)).rejects.toThrow(/is lost/);
  });

  test('work that never ran', async () => {
    const { gpu, device } = await openDevice();
    const executor = await executorOn({ ...device, submit: (what, encode, ranges) => device.submit(what, what.startsWith('running') ? () => {} : encode, ranges) }, { gpu });
    const prepared = await executor.prepare(model);
    await expect(prepared.run(input)).rejects.toThrow(/did not run the work/);
  });

  test('errors outside every scope', async () => {
    const { device } = await openDevice();
    device.device.createShaderModule({ code: 'nonsense' });
    await device.device.queue.onSubmittedWorkDone();
    await expect(device.createBuffer('a tensor', 64, 0x80)).rejects.toThrow(/^WebGPU: /);
  });
});

describe('an adapter that computes wrongly', () => {
  const corrupt = (bytes: Uint8Array[]): Uint8Array[] => bytes.map((range) => range.map((byte, index) => (index === 16 ? byte ^ 1 : byte)));

  test('is refused', async () => {
    const { gpu, device } = await openDevice();
    const wrong: CheckedDevice = { ...device, submit: async (...call) => corrupt(await device.submit(...call)) };
    await expect(executorOn(wrong, { gpu })).rejects.toThrow(/fails the known-answer test: add \(i32\) of -2147483648, -2147483648 is 0, the device says 1/);
  });

  test('in its packed dot product only is used without it', async () => {
    const { gpu, device } = await openDevice();
    const shaders: string[] = [];
    let tests = 0;
    const wrong: CheckedDevice = {
      ...device,
      submit: async (...call) => {
        tests += 1;
        const bytes = await device.submit(...call);
        return tests === 1 ? corrupt(bytes) : bytes;
      },
      createPipeline: (what, code, bindings) => {
        shaders.push(code);
        return device.createPipeline(what, code, bindings);
      },
    };
    const executor = await executorOn(wrong, { gpu });
    const before = shaders.length;
    const prepared = await executor.prepare(model);
    expect(shaders[0]).toContain('dot4I8Packed');
    expect(shaders.slice(before).filter((code) => code.includes('dot4_unpacked')).length).toBeGreaterThan(0);
    expect(shaders.slice(before).filter((code) => code.includes('dot4I8Packed'))).toEqual([]);
    expect((await prepared.run(input)).output).toEqual(evaluateProgram(model, input).output);
  });
});
