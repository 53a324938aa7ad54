/**
 * Speed of the WebAssembly code that kernels compile to, on one thread: `npx tsx bench/wasm.ts [--json]`.
 * A multiplication and an addition count as two operations. Beside it, in the same run, a hand-written loop over
 * `Int8Array`s and onnxruntime's integer operators; and hand-written WebAssembly of the inner loop alone, on data that stay in the
 * nearest cache, which is as fast as this processor can be with these instructions. Results are compared before anything is timed.
 * Medians of several runs, of processor time; on a busy machine all columns suffer all the same, so compare them with each other.
 */
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { specialize } from '../deterministic-runtime/language/specialize.ts';
import { byteLength, packTensor, unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { ModuleBuilder } from '../deterministic-runtime/wasm/assembler.ts';
import { compileKernels } from '../deterministic-runtime/wasm/compile.ts';
import type { CompiledKernel } from '../deterministic-runtime/wasm/compile.ts';
import { GUARD_BYTES, ZERO_AREA, longestRowBytes } from '../deterministic-runtime/wasm/lower.ts';
import { convolution } from '../kernels/convolution.ts';
import { linearSums } from '../kernels/linear.ts';
import { onnxruntimeOperator } from './onnxruntime-peer.ts';

const RUNS = 15;
const MILLISECONDS_PER_RUN = 30;

interface Workload {
  readonly name: string;
  readonly operations: number;
  /** What the kernel computes, as JavaScript. */
  readonly loop: () => Int8Array | Int32Array;
  readonly generated: () => void;
  /** What the generated code wrote last, in the loop's order. */
  readonly result: () => Int8Array | Int32Array;
  readonly onnxruntime: () => Promise<unknown>;
}

function bytes(length: number, seed: number): Int8Array {
  let state = seed;
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >> 24;
  });
}

/** Compiles a kernel over tensors of its own; returns its run and its output's elements. */
function generate(kernel: Kernel, output: TensorShape, operands: readonly (readonly [TensorShape, Int8Array | Int32Array])[], parameters: Record<string, number> = {}): { readonly run: () => void; readonly result: () => Uint8Array } {
  const specialized = specialize(kernel, { operands: operands.map(([shape]) => ({ shape, kind: 'single' })), output, parameters, maxIterations: 0 });
  const module = new WebAssembly.Module(compileKernels([{ name: 'run', kernel: specialized, strides: operands.map(() => 0) }]));
  let end = ZERO_AREA + longestRowBytes(specialized);
  const place = (size: number): number => {
    const address = Math.ceil(end / 64) * 64;
    end = address + size;
    return address;
  };
  const addresses = operands.map(([shape]) => place(byteLength(shape)));
  const target = place(byteLength(output));
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + GUARD_BYTES) / 65536) });
  operands.forEach(([shape, values], index) => {
    new Uint8Array(memory.buffer).set(packTensor(shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)), addresses[index]);
  });
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as CompiledKernel;
  return {
    run: () => run(0, 0, output.rows, 0, output.columns, target, ...addresses),
    result: (): Uint8Array => unpackTensor(output, new Uint8Array(memory.buffer, target, byteLength(output))),
  };
}

/** `y[r][c] = Σ_k x[r][k] · w[c][k]`, four columns at a time. */
function matrixLoop(x: Int8Array, w: Int8Array, rows: number, columns: number, depth: number): Int32Array {
  const y = new Int32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      const first = column * depth;
      for (let k = 0; k < depth; k += 1) {
        const value = x[row * depth + k]!;
        a = (a + value * w[first + k]!) | 0;
        b = (b + value * w[first + depth + k]!) | 0;
        c = (c + value * w[first + 2 * depth + k]!) | 0;
        d = (d + value * w[first + 3 * depth + k]!) | 0;
      }
      y.set([a, b, c, d], row * columns + column);
    }
  }
  return y;
}

async function matrixWorkload(name: string, rows: number, columns: number, depth: number): Promise<Workload> {
  const x = bytes(rows * depth, 1);
  const w = bytes(columns * depth, 2);
  const shape = (element: 'i8' | 'i32', height: number, width: number): TensorShape => ({ element, rows: height, columns: width });
  const { run, result } = generate(linearSums, shape('i32', rows, columns), [
    [shape('i8', rows, depth), x], [shape('i8', columns, depth), w], [shape('i32', 1, columns), new Int32Array(columns)],
  ]);
  const transposed = Int8Array.from({ length: depth * columns }, (_, index) => w[(index % columns) * depth + Math.floor(index / columns)]!);
  return {
    name,
    operations: 2 * rows * columns * depth,
    loop: () => matrixLoop(x, w, rows, columns, depth),
    generated: run,
    result: () => new Int32Array(result().slice().buffer),
    onnxruntime: await onnxruntimeOperator('MatMulInteger', { dimensions: [rows, depth], values: x }, { dimensions: [depth, columns], values: transposed }, 2),
  };
}

/** 3 × 3, padded, of an image of `channels` channels to as many, requantised with one multiplier by 2^-12. */
async function convolutionWorkload(name: string, size: number, channels: number): Promise<Workload> {
  const x = bytes(size * size * channels, 3);
  const w = bytes(channels * 9 * channels, 4);
  const pixels = size * size;
  const scale = new Int32Array(2 * channels).fill(1 << 18, 0, channels).fill(30, channels);
  const { run, result } = generate(convolution, { element: 'i8', rows: pixels, columns: channels }, [
    [{ element: 'i8', rows: pixels, columns: channels }, x],
    [{ element: 'i8', rows: channels * 9, columns: channels }, w],
    [{ element: 'i32', rows: 1, columns: channels }, new Int32Array(channels)],
    [{ element: 'i32', rows: 2, columns: channels }, scale],
  ], {
    inputHeight: size, inputWidth: size, outputWidth: size, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1,
    padTop: 1, padLeft: 1, zeroPoint: 0, low: -128, high: 127,
  });
  const planes = Int8Array.from({ length: x.length }, (_, index) => x[(index % pixels) * channels + Math.floor(index / pixels)]!);
  const filters = Int8Array.from({ length: w.length }, (_, index) => {
    const [output, input, tap] = [Math.floor(index / (9 * channels)), Math.floor(index / 9) % channels, index % 9];
    return w[(output * 9 + tap) * channels + input]!;
  });
  return {
    name,
    operations: 2 * pixels * channels * 9 * channels,
    loop: () => convolutionLoop(x, w, size, channels),
    generated: run,
    result: () => new Int8Array(result().slice().buffer),
    onnxruntime: await onnxruntimeOperator('ConvInteger', { dimensions: [1, channels, size, size], values: planes }, { dimensions: [channels, channels, 3, 3], values: filters }, 4),
  };
}

function convolutionLoop(x: Int8Array, w: Int8Array, size: number, channels: number): Int8Array {
  const y = new Int8Array(size * size * channels);
  for (let pixel = 0; pixel < size * size; pixel += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      let sum = 0;
      for (let tap = 0; tap < 9; tap += 1) {
        const row = Math.floor(pixel / size) + Math.floor(tap / 3) - 1;
        const column = (pixel % size) + (tap % 3) - 1;
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        const source = (row * size + column) * channels;
        const weights = (channel * 9 + tap) * channels;
        for (let k = 0; k < channels; k += 1) sum = (sum + x[source + k]! * w[weights + k]!) | 0;
      }
      y[pixel * channels + channel] = Math.max(-128, Math.min(127, (sum + 2048) >> 12));
    }
  }
  return y;
}

/** Two rows by four columns of dot products over 1 KiB each, again and again: no stores, no addresses but one. */
function innerLoop(): { readonly operations: number; readonly call: () => number } {
  const [rows, columns, depth, repeats] = [2, 4, 1024, 500];
  const module = new ModuleBuilder();
  module.memory({ minimum: 1 });
  module.function({ export: 'run', parameters: ['i32'], results: ['i32'] }, (code, [repeat]) => {
    const sums = Array.from({ length: rows * columns }, () => code.local('v128'));
    const values = Array.from({ length: rows }, () => code.local('v128'));
    const weights = code.local('v128');
    const offset = code.local('i32');
    code.loop((again) => {
      code.i32(0).set(offset);
      code.loop((next) => {
        for (let byte = 0; byte < 32; byte += 8) {
          values.forEach((value, row) => code.get(offset).memory('v128.load8x8_s', row * depth + byte).set(value));
          for (let column = 0; column < columns; column += 1) {
            code.get(offset).memory('v128.load8x8_s', (rows + column) * depth + byte).set(weights);
            values.forEach((value, row) => {
              const sum = sums[row * columns + column]!;
              code.get(sum).get(value).get(weights).op('i32x4.dot_i16x8_s').op('i32x4.add').set(sum);
            });
          }
        }
        code.get(offset).i32(32).op('i32.add').tee(offset).i32(depth).op('i32.lt_u').branchIf(next);
      });
      code.get(repeat).i32(1).op('i32.sub').tee(repeat).branchIf(again);
    });
    code.i32x4(0, 0, 0, 0);
    for (const sum of sums) code.get(sum).op('i32x4.add');
    code.lane('i32x4.extract_lane', 0);
  });
  const run = new WebAssembly.Instance(new WebAssembly.Module(module.encode())).exports['run'] as (repeats: number) => number;
  return { operations: 2 * rows * columns * depth * repeats, call: () => run(repeats) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Operations a nanosecond of processor time: the median over runs of a few calls each. */
async function speed(operations: number, call: () => unknown): Promise<number> {
  const calls = async (count: number): Promise<number> => {
    const started = process.cpuUsage();
    for (let index = 0; index < count; index += 1) await call();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1000;
  };
  await calls(2);
  let count = 1;
  while (count < 10_000 && (await calls(count)) < MILLISECONDS_PER_RUN) count *= 2;
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) times.push((await calls(count)) / count);
  return operations / median(times) / 1e6;
}

async function main(): Promise<void> {
  const workloads = [
    await matrixWorkload('matvec 1024²', 1, 1024, 1024),
    await matrixWorkload('matvec 4096²', 1, 4096, 4096),
    await matrixWorkload('GEMM 512³', 512, 512, 512),
    await convolutionWorkload('convolution 3×3, 56², 64→64', 56, 64),
  ];
  const ceiling = innerLoop();
  const rows = [];
  for (const { name, operations, loop, generated, result, onnxruntime } of workloads) {
    generated();
    const expected = loop();
    if (!result().every((value, index) => value === expected[index])) throw new Error(`${name}: the generated code's result is wrong`);
    rows.push({
      workload: name,
      generated: await speed(operations, generated),
      loop: await speed(operations, loop),
      onnxruntime: await speed(operations, onnxruntime),
      innerLoop: await speed(ceiling.operations, ceiling.call),
    });
  }
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ unit: 'GOPS, one thread', node: process.version, workloads: rows }, null, 2));
    return;
  }
  const headings = ['generated', 'Int8Array', 'onnxruntime', 'inner loop'];
  console.log(`GOPS, one thread               ${headings.map((heading) => heading.padStart(12)).join('')}`);
  for (const { workload, ...speeds } of rows) {
    console.log(`${workload.padEnd(30)} ${[speeds.generated, speeds.loop, speeds.onnxruntime, speeds.innerLoop].map((value) => value.toFixed(1).padStart(12)).join('')}`);
  }
}

await main();
