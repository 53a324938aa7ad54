/**
 * Speed of the shaders that kernels compile to, by schedule, on this machine's WebGPU adapter (a GPU, or else the software driver):
 * `npm run bench:webgpu [-- --json] [--only part-of-a-name]`. A multiplication and an addition count as two operations. Every schedule's result is compared
 * with the WebAssembly executor's before it is timed; a time is that of many dispatches in one submit, the median of several. The schedule that is marked is the one
 * that the executor takes; where another one is clearly ahead on a GPU, a threshold in `deterministic-runtime/webgpu/schedule.ts` wants changing.
 */
import { parseArgs } from 'node:util';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { specializeOperator } from '../deterministic-runtime/language/specialize.ts';
import { Random } from '../deterministic-runtime/language/testing/random.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { byteLength } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { BUFFER_USAGE, openDevice } from '../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../deterministic-runtime/webgpu/device.ts';
import { encodeMoment, RUN_BYTES } from '../deterministic-runtime/webgpu/run-state.ts';
import { chooseSchedule } from '../deterministic-runtime/webgpu/schedule.ts';
import type { Schedule } from '../deterministic-runtime/webgpu/schedule.ts';
import { compileWgsl } from '../deterministic-runtime/webgpu/wgsl.ts';
import { foldWorkgroups } from '../deterministic-runtime/webgpu/workgroups.ts';
import { convolution } from '../kernels/convolution.ts';
import { linearSums } from '../kernels/linear.ts';
import { ProgramBuilder } from '../kernels/program-builder.ts';
import type { Tensor } from '../kernels/program-builder.ts';
import { openWebGpu } from '../rollup-node/webgpu/open.ts';
import { conditions, median, rounded } from './measurement.ts';

const SCHEDULES: readonly Schedule[] = ['invocation', 'tile', 'block', 'workgroup'];
const RUNS = 5;
const MILLISECONDS_PER_SUBMIT = 200;
const MOST_DISPATCHES = 4096;

/** A model of one operator over constants. */
interface Workload {
  readonly name: string;
  readonly operations: number;
  readonly model: Model;
}

const random = new Random(7);
const shapeOf = (element: 'i8' | 'i32', rows: number, columns: number): TensorShape => ({ element, rows, columns });

function workload(name: string, operations: number, definition: Kernel, output: TensorShape, operands: (builder: ProgramBuilder) => Tensor[], parameters: Record<string, number> = {}): Workload {
  const builder = new ProgramBuilder({ name, signature: 'bench(int8)->(int32[])', input: shapeOf('i8', 1, 1), metadata: {} });
  builder.append(name, { kernel: definition, output, operands: operands(builder), parameters });
  return { name, operations, model: builder.build() };
}

const bytes = (builder: ProgramBuilder, rows: number, columns: number): Tensor => builder.bytes(rows, columns, Int8Array.from({ length: rows * columns }, () => random.bits() >> 24));
const zeros = (builder: ProgramBuilder, rows: number, columns: number): Tensor => builder.integers(rows, columns, new Int32Array(rows * columns));

const matrix = (name: string, rows: number, columns: number, depth: number): Workload =>
  workload(name, 2 * rows * columns * depth, linearSums, shapeOf('i32', rows, columns), (builder) => [bytes(builder, rows, depth), bytes(builder, columns, depth), zeros(builder, 1, columns)]);

/** Activations of 16 bits as two rows of bytes: one reading of the weights serves both. */
const planes = kernel('planes', {
  operands: { x: i8, w: i8 }, output: i32,
  element: ({ column, operands: { x, w } }) => sum(x.words, (k) => dot32(x.word(0, k), w.word(column, k))).shl(8).add(sum(x.words, (k) => dot32(x.word(1, k), w.word(column, k)))),
});
const planeProduct = (name: string, columns: number, depth: number): Workload =>
  workload(name, 4 * columns * depth, planes, shapeOf('i32', 1, columns), (builder) => [bytes(builder, 2, depth), bytes(builder, columns, depth)]);

const scores = kernel('scores', {
  operands: { query: i8, keys: i8 }, output: i32,
  element: ({ row, column, output, operands: { query, keys } }) => sum(query.words, (k) => dot32(query.word(row, k), keys.word(column.mul(output.rows).add(row), k))),
});
const mixture = kernel('mixture', {
  operands: { weights: i32, values: i8 }, output: i32,
  element: ({ row, column, output, operands: { weights, values } }) => sum(weights.columns, (t) => weights.at(row, t).mul(values.at(t, row.mul(output.columns).add(column)))),
});
const attention = (heads: number, size: number, positions: number): Workload[] => [
  workload(`attention scores ${heads}×${size}, ${positions} positions`, 2 * heads * size * positions, scores, shapeOf('i32', heads, positions), (builder) => [bytes(builder, heads, size), bytes(builder, positions * heads, size)]),
  workload(`attention mixture ${heads}×${size}, ${positions} positions`, 2 * heads * size * positions, mixture, shapeOf('i32', heads, size), (builder) =>
    [builder.integers(heads, positions, Int32Array.from({ length: heads * positions }, () => random.integer(0, 255))), bytes(builder, positions, heads * size)]),
];

const greatest = kernel('greatest', { operands: { x: i32 }, output: i32, element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k)) });

function convolutionOf(name: string, size: number, channels: number): Workload {
  const pixels = size * size;
  return workload(name, 2 * pixels * channels * 9 * channels, convolution, shapeOf('i8', pixels, channels), (builder) => [
    bytes(builder, pixels, channels), bytes(builder, channels * 9, channels), zeros(builder, 1, channels),
    builder.integers(2, channels, new Int32Array(2 * channels).fill(1 << 18, 0, channels).fill(30, channels)),
  ], {
    inputHeight: size, inputWidth: size, outputWidth: size, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 1, padLeft: 1, zeroPoint: 0, low: -128, high: 127,
  });
}

const workloads = (): Workload[] => [
  matrix('matvec 1024²', 1, 1024, 1024),
  matrix('matvec 4096²', 1, 4096, 4096),
  planeProduct('matvec 4096², 16-bit activations', 4096, 4096),
  matrix('decode: 4 rows × 4096²', 4, 4096, 4096),
  matrix('GEMM 512³', 512, 512, 512),
  convolutionOf('convolution 3×3, 56², 64→64', 56, 64),
  ...attention(32, 128, 512),
  workload('maximum of 32,000', 32_000, greatest, shapeOf('i32', 1, 1), (builder) => [builder.integers(1, 32_000, Int32Array.from({ length: 32_000 }, () => random.bits()))]),
];

interface Measured { readonly schedule: Schedule; readonly microseconds: number; readonly compileMilliseconds: number }

/** Times a schedule; undefined where the kernel has nothing to gain from it. @throws Error when its result is wrong */
async function measure(device: CheckedDevice, { name, model }: Workload, schedule: Schedule, packedDot: boolean, expected: Uint8Array): Promise<Measured | undefined> {
  const specialized = specializeOperator(model.program, 'prologue', 0);
  const shader = compileWgsl(specialized, { schedule, packedDot });
  if (shader.schedule !== schedule) return undefined;
  const started = performance.now();
  const pipeline = await device.createPipeline(name, shader.code, ['uniform', 'storage', ...shader.operands.map(() => 'read-only-storage' as const)]);
  const compileMilliseconds = performance.now() - started;
  const usage = BUFFER_USAGE.storage | BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination;
  const run = await device.createBuffer(name, RUN_BYTES, BUFFER_USAGE.uniform | BUFFER_USAGE.copyDestination);
  const output = await device.createBuffer(name, byteLength(specialized.output), usage);
  const operands = await Promise.all(shader.operands.map(async (position) => {
    const words = model.constants[position] as Uint8Array<ArrayBuffer>;
    const buffer = await device.createBuffer(name, words.length, usage);
    device.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }));
  device.device.queue.writeBuffer(run, 0, encodeMoment({ iteration: 0, writtenNow: 0, writtenBefore: 0 }));
  const bindGroup = device.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [run, output, ...operands].map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const workgroups = foldWorkgroups(shader.workgroups, device.limits.maxComputeWorkgroupsPerDimension, name);
  const submit = async (dispatches: number, size: number): Promise<Uint8Array> => {
    const [words] = await device.submit(name, (encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      for (let dispatch = 0; dispatch < dispatches; dispatch += 1) pass.dispatchWorkgroups(...workgroups);
      pass.end();
    }, [{ buffer: output, offset: 0, size }]);
    return words as Uint8Array;
  };
  const timed = async (dispatches: number): Promise<number> => {
    const begun = performance.now();
    await submit(dispatches, 4);
    return performance.now() - begun;
  };
  try {
    const words = await submit(1, output.size);
    if (!words.every((byte, index) => byte === expected[index])) throw new Error(`${name}, ${schedule}: the result is wrong`);
    let dispatches = 1;
    while (dispatches < MOST_DISPATCHES && (await timed(dispatches)) < MILLISECONDS_PER_SUBMIT) dispatches *= 2;
    const times: number[] = [];
    for (let count = 0; count < RUNS; count += 1) times.push(await timed(dispatches));
    return { schedule, microseconds: (1000 * median(times)) / dispatches, compileMilliseconds };
  } finally {
    for (const buffer of [run, output, ...operands]) buffer.destroy();
  }
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } });
const { gpu } = await openWebGpu({ allowSoftware: true });
const device = await openDevice(gpu);
const packedDot = gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product');
const wasm = createWasmExecutor();
const rows = [];
for (const one of workloads().filter(({ name }) => name.includes(values.only))) {
  const { output } = await (await wasm.prepare(one.model)).run(new Uint8Array(32));
  const taken = chooseSchedule(specializeOperator(one.model.program, 'prologue', 0), device);
  for (const schedule of SCHEDULES) {
    const measured = await measure(device, one, schedule, packedDot, output);
    if (measured === undefined) continue;
    rows.push({
      workload: one.name, schedule, taken: schedule === taken, gops: rounded(one.operations / measured.microseconds / 1000),
      microseconds: rounded(measured.microseconds), compileMilliseconds: Math.round(measured.compileMilliseconds),
    });
    if (!values.json) {
      const row = rows.at(-1) as (typeof rows)[number];
      console.log(`${row.workload.padEnd(42)} ${`${row.schedule}${row.taken ? ' *' : ''}`.padEnd(14)} ${String(row.gops).padStart(9)} GOPS ${String(row.microseconds).padStart(10)} µs, compiled in ${row.compileMilliseconds} ms`);
    }
  }
}
const about = { ...conditions(), adapter: device.description, packedDot };
console.log(values.json ? JSON.stringify({ ...about, rows }) : JSON.stringify(about));
device.dispose();
process.exit(0);
