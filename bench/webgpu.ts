/**
 * Speed of the shaders that kernels compile to, by schedule, on this machine's WebGPU adapter (a GPU, or else the software driver):
 * `npm run bench:webgpu [-- --json] [--only part-of-a-name] [--tiny]`; `--tiny` makes all of it an eighth as long and as wide, to see that it runs. A multiplication and an addition count as two operations. Every schedule's result is compared
 * with the WebAssembly executor's before it is timed; a time is that of many dispatches in one submit, the median of several. The schedule that is marked is the one
 * that the executor takes; where another one is clearly ahead on a GPU, a threshold in `deterministic-runtime/webgpu/schedule.ts` wants changing. At last a prompt of a
 * generated language model is run token by token, and its tokens side by side.
 */
import { parseArgs } from 'node:util';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { specializeOperator } from '../deterministic-runtime/language/specialize.ts';
import { Random } from '../deterministic-runtime/language/testing/random.ts';
import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { byteLength } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { BUFFER_USAGE, openDevice } from '../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../deterministic-runtime/webgpu/device.ts';
import { executorOn } from '../deterministic-runtime/webgpu/executor.ts';
import { encodeMoment, RUN_BYTES } from '../deterministic-runtime/webgpu/run-state.ts';
import { chooseSchedule } from '../deterministic-runtime/webgpu/schedule.ts';
import type { Schedule } from '../deterministic-runtime/webgpu/schedule.ts';
import { compileWgsl } from '../deterministic-runtime/webgpu/wgsl.ts';
import { foldWorkgroups } from '../deterministic-runtime/webgpu/workgroups.ts';
import { convolution } from '../kernels/convolution.ts';
import { encodePrompt } from '../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { randomWeights } from '../kernels/language-model/random-weights.ts';
import { linearSums } from '../kernels/linear.ts';
import { ProgramBuilder } from '../kernels/program-builder.ts';
import type { Tensor } from '../kernels/program-builder.ts';
import { openWebGpu } from '../rollup-node/webgpu/open.ts';
import { conditions, median, rounded } from './measurement.ts';

const SCHEDULES: readonly Schedule[] = ['invocation', 'tile', 'block', 'workgroup'];
const RUNS = 5;
const MILLISECONDS_PER_SUBMIT = 200;
const MOST_DISPATCHES = 4096;
const PROMPT = 'prompt';

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

function workloads(divisor: number): Workload[] {
  const [small, large] = [1024 / divisor, 4096 / divisor];
  const [side, size, positions, channels, values] = [512 / divisor, 128 / divisor, 512 / divisor, 64 / Math.min(2, divisor), 32_000 / divisor];
  return [
    matrix(`matvec ${small}²`, 1, small, small),
    matrix(`matvec ${large}²`, 1, large, large),
    planeProduct(`matvec ${large}², 16-bit activations`, large, large),
    matrix(`decode: 4 rows × ${large}²`, 4, large, large),
    matrix(`GEMM ${side}³`, side, side, side),
    convolutionOf(`convolution 3×3, ${56 / divisor}², ${channels}→${channels}`, 56 / divisor, channels),
    ...attention(32, size, positions),
    workload(`maximum of ${values}`, values, greatest, shapeOf('i32', 1, 1), (builder) => [builder.integers(1, values, Int32Array.from({ length: values }, () => random.bits()))]),
  ];
}

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

/** Milliseconds of a prompt token, one after another and side by side. @throws Error when the results differ */
async function measurePrompt(executor: Executor, divisor: number): Promise<{ readonly tokens: number; readonly oneByOne: number; readonly sideBySide: number }> {
  const tokens = 64 / Math.min(2, divisor);
  const model = await buildLanguageModel(randomWeights({
    family: 'llama', vocabulary: 4096 / divisor, width: 1024 / divisor, hidden: 2816 / divisor, layers: 2, heads: 16, keyValueHeads: 16, headSize: 64 / divisor, context: 128, normEpsilon: 1e-5,
    rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [2],
  }), { promptLimit: tokens, newTokenLimit: 2, sampling: false });
  const prepared = await executor.prepare(model);
  const input = encodePrompt(model, Array.from({ length: tokens }, (_, index) => index + 3), { maximumTokens: 1 });
  const timed = async (independentIterations: number): Promise<{ readonly milliseconds: number; readonly output: Uint8Array }> => {
    const times: number[] = [];
    let output = new Uint8Array(0);
    for (let count = 0; count <= RUNS; count += 1) {
      const begun = performance.now();
      output = (await prepared.run(input, { independentIterations })).output as Uint8Array<ArrayBuffer>;
      // The first run compiles.
      if (count > 0) times.push(performance.now() - begun);
    }
    return { milliseconds: median(times) / tokens, output };
  };
  const [oneByOne, sideBySide] = [await timed(0), await timed(tokens)];
  await prepared.dispose();
  if (!oneByOne.output.every((byte, index) => byte === sideBySide.output[index])) throw new Error('a prompt whose tokens run side by side gives another result');
  return { tokens, oneByOne: rounded(oneByOne.milliseconds), sideBySide: rounded(sideBySide.milliseconds) };
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, tiny: { type: 'boolean', default: false } } });
const divisor = values.tiny ? 8 : 1;
const { gpu } = await openWebGpu({ allowSoftware: true });
const device = await openDevice(gpu);
const packedDot = gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product');
const wasm = createWasmExecutor();
const rows = [];
for (const one of workloads(divisor).filter(({ name }) => name.includes(values.only))) {
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
let prompt: Awaited<ReturnType<typeof measurePrompt>> | undefined;
if (PROMPT.includes(values.only)) {
  prompt = await measurePrompt(await executorOn(device, { gpu }), divisor);
  if (!values.json) console.log(`${`${PROMPT} of ${prompt.tokens} tokens`.padEnd(42)} ${prompt.oneByOne} ms a token one after another, ${prompt.sideBySide} ms side by side`);
}
const about = { ...conditions(), adapter: device.description, packedDot };
console.log(values.json ? JSON.stringify({ ...about, rows, prompt }) : JSON.stringify(about));
device.dispose();
process.exit(0);
