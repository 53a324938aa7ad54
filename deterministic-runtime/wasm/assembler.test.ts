import { describe, expect, test } from 'vitest';
import { ModuleBuilder } from './assembler.ts';
import { ByteWriter } from './byte-writer.ts';
import { PLAIN, SIMD, SIMD_LANE, SIMD_MEMORY, SIMD_MEMORY_LANE } from './instructions.ts';
import type { LaneInstruction, MemoryInstruction, MemoryLaneInstruction, PlainInstruction } from './instructions.ts';

async function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}): Promise<Record<string, (...values: (number | bigint)[]) => number | bigint>> {
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(module.encode()), imports);
  return instance.exports as never;
}

describe('LEB128', () => {
  const unsigned = (value: number): number[] => [...new ByteWriter().unsigned(value).finish()];
  const signed = (value: number | bigint): number[] => [...new ByteWriter().signed(value).finish()];

  test('unsigned', () => {
    expect(unsigned(0)).toEqual([0]);
    expect(unsigned(127)).toEqual([127]);
    expect(unsigned(128)).toEqual([0x80, 1]);
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(unsigned(2 ** 32 - 1)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  });

  test('signed', () => {
    expect(signed(0)).toEqual([0]);
    expect(signed(63)).toEqual([63]);
    expect(signed(64)).toEqual([0xc0, 0]);
    expect(signed(-1)).toEqual([0x7f]);
    expect(signed(-64)).toEqual([0x40]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(-(2n ** 63n))).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]);
  });

  test('refuses what is not an unsigned integer', () => {
    expect(() => unsigned(-1)).toThrow('cannot encode -1');
    expect(() => unsigned(0.5)).toThrow('cannot encode 0.5');
  });
});

describe('modules', () => {
  test('the example: a loop over an imported memory', async () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { minimum: 1 });
    module.function({ export: 'sum', parameters: ['i32', 'i32'], results: ['i32'] }, (code, [pointer, count]) => {
      const total = code.local('i32');
      code.loop((next) => {
        code.get(total).get(pointer).memory('i32.load', 0).op('i32.add').set(total);
        code.get(pointer).i32(4).op('i32.add').set(pointer);
        code.get(count).i32(1).op('i32.sub').tee(count).branchIf(next);
      });
      code.get(total);
    });
    const memory = new WebAssembly.Memory({ initial: 1 });
    new Int32Array(memory.buffer).set([5, -7, 2 ** 31 - 1], 4);
    const { sum } = await instantiate(module, { env: { memory } });
    expect(sum!(16, 3)).toBe((2 ** 31 - 1 - 2) | 0);
  });

  test('own memory, data, globals, calls and imported functions', async () => {
    const module = new ModuleBuilder();
    const log = module.importFunction('env', 'log', { parameters: ['i64'] });
    module.memory({ minimum: 1, maximum: 2 });
    module.data(8, Uint8Array.of(1, 2, 3, 4));
    const counter = module.global('i64', -5n);
    const bump = module.function({}, (code) => { code.getGlobal(counter).i64(1).op('i64.add').setGlobal(counter); });
    module.function({ export: 'read', parameters: ['i32'], results: ['i32'] }, (code, [at]) => {
      code.call(bump).call(bump).getGlobal(counter).call(log).get(at).memory('i32.load', 4);
    });
    const logged: unknown[] = [];
    const { read } = await instantiate(module, { env: { log: (value: unknown) => logged.push(value) } });
    expect(read!(4)).toBe(0x04030201);
    expect(logged).toEqual([-3n]);
  });

  test('branch tables and nested labels', async () => {
    const module = new ModuleBuilder();
    module.function({ export: 'choose', parameters: ['i32'], results: ['i32'] }, (code, [value]) => {
      code.block((end) => {
        code.block((second) => {
          code.block((first) => { code.get(value).branchTable([first, second], end); });
          code.i32(10).op('return');
        });
        code.i32(20).op('return');
      });
      code.get(value).i32(7).op('i32.eq').if(() => { code.i32(70); }, () => { code.i32(-1); }, 'i32');
    });
    const { choose } = await instantiate(module);
    expect([0, 1, 2, 7].map((value) => choose!(value))).toEqual([10, 20, -1, 70]);
  });

  test('a shared memory can be imported', async () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { minimum: 1, maximum: 4, shared: true });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    await expect(instantiate(module, { env: { memory } })).resolves.toBeDefined();
    expect(() => module.importMemory('env', 'memory', { minimum: 1, shared: true })).toThrow('needs a maximum');
  });

  test('released locals are used again', () => {
    const module = new ModuleBuilder();
    module.function({}, (code) => {
      const first = code.local('v128');
      code.release(first);
      expect(code.local('v128')).toBe(first);
      expect(code.local('v128')).not.toBe(first);
    });
  });
});

/** The engine's validator knows every instruction's type, so a wrong opcode of another type is found. */
describe('every instruction validates with the type that its name says', () => {
  const scalarOf = (shape: string): 'i32' | 'i64' => (shape === 'i64x2' || shape === 'i64' ? 'i64' : 'i32');
  const validates = (write: Parameters<ModuleBuilder['function']>[1]): boolean => {
    const module = new ModuleBuilder();
    module.memory({ minimum: 1 });
    module.function({}, write);
    return WebAssembly.validate(module.encode());
  };

  test.each(Object.keys(SIMD).filter((name) => name !== 'v128.bitselect') as PlainInstruction[])('%s', (name) => {
    const [shape = '', operation = ''] = name.split('.');
    const unary = /^(splat|not|any_true|abs|neg|popcnt|all_true|bitmask|ext(end|add).*)$/.test(operation);
    const shift = /^sh[lr]/.test(operation);
    const result = /^(any_true|all_true|bitmask)$/.test(operation) ? 'i32' : 'v128';
    expect(validates((code) => {
      const vector = code.local('v128');
      if (operation === 'splat') code.get(code.local(scalarOf(shape)));
      else if (unary) code.get(vector);
      else if (shift) code.get(vector).i32(3);
      else code.get(vector).get(vector);
      code.op(name).set(code.local(result));
    })).toBe(true);
  });

  test.each(Object.keys(PLAIN).filter((name) => name.includes('.')) as PlainInstruction[])('%s', (name) => {
    const [type = '', operation = ''] = name.split('.');
    const from = operation.endsWith('_i64') ? 'i64' : operation.includes('_i32_') ? 'i32' : scalarOf(type);
    const unary = /^(eqz|clz|ctz|popcnt|wrap.*|extend.*)$/.test(operation);
    const result = /^(eqz|eq|ne|[lg][te]_[su])$/.test(operation) ? 'i32' : scalarOf(type);
    expect(validates((code) => {
      const value = code.local(from);
      code.get(value);
      if (!unary) code.get(value);
      code.op(name).set(code.local(result));
    })).toBe(true);
  });

  test.each(Object.keys(SIMD_MEMORY) as MemoryInstruction[])('%s', (name) => {
    expect(validates((code) => {
      code.i32(0);
      if (name.includes('store')) code.get(code.local('v128')).memory(name);
      else code.memory(name).set(code.local('v128'));
    })).toBe(true);
  });

  test.each(Object.keys(SIMD_MEMORY_LANE) as MemoryLaneInstruction[])('%s', (name) => {
    expect(validates((code) => {
      code.i32(0).get(code.local('v128')).memoryLane(name, 1);
      if (name.includes('load')) code.set(code.local('v128'));
    })).toBe(true);
  });

  test.each(Object.keys(SIMD_LANE) as LaneInstruction[])('%s', (name) => {
    const scalar = scalarOf(name.split('.')[0]!);
    expect(validates((code) => {
      const vector = code.local('v128');
      if (name.includes('extract')) code.get(vector).lane(name, 1).set(code.local(scalar));
      else code.get(vector).get(code.local(scalar)).lane(name, 1).set(vector);
    })).toBe(true);
  });
});
