import type { BinaryOperator, ScalarType } from '../language/expression.ts';
import { BUFFER_USAGE, WebGpuError } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { KNOWN_ANSWERS } from './known-answer-table.ts';
import type { KnownAnswers } from './known-answer-table.ts';
import { encodeMoment, RUN_BYTES, RUN_STRUCT } from './run-state.ts';
import { combine } from './wgsl-operators.ts';
import { libraryCode } from './wgsl-library.ts';

/** 32-bit units of one case: which operation, and three operands of 64 bits. */
const CASE_UNITS = 7;
const COMPARISONS: ReadonlySet<string> = new Set(['lt', 'le', 'eq']);

/** A shader that computes every case of the table with the code that kernels use. */
export function knownAnswerShader(packedDot: boolean): string {
  const library = new Set<string>();
  const call = (name: string, ...operands: string[]): string => {
    library.add(name);
    return `${name}(${operands.join(', ')})`;
  };
  const branches = KNOWN_ANSWERS.map(({ operator, type }, index) => `    case ${index}u: { value = ${valueOf(operator, type, packedDot, call)}; }`);
  return `${packedDot ? 'requires packed_4x8_integer_dot_product;\n' : ''}${RUN_STRUCT}
@group(0) @binding(0) var<uniform> run: Run;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@group(0) @binding(2) var<storage, read> cases: array<u32>;
${libraryCode([...library])}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= run.iteration) { return; }
  let first = id.x * ${CASE_UNITS}u;
  let a = vec2<u32>(cases[first + 1u], cases[first + 2u]);
  let b = vec2<u32>(cases[first + 3u], cases[first + 4u]);
  let c = vec2<u32>(cases[first + 5u], cases[first + 6u]);
  var value = vec2<u32>(0u, 0u);
  switch (cases[first]) {
${branches.join('\n')}
    default: {}
  }
  result[id.x * 2u] = value.x;
  result[id.x * 2u + 1u] = value.y;
}`;
}

function valueOf(operator: KnownAnswers['operator'], type: ScalarType, packedDot: boolean, call: (name: string, ...operands: string[]) => string): string {
  if (operator === 'requantize') return call('i64_from_i32', call('requantize', 'i32(a.x)', 'i32(b.x)', 'i32(c.x)'));
  if (operator === 'dot4') return call('i64_from_i32', call(packedDot ? 'dot4_packed' : 'dot4_unpacked', 'a.x', 'b.x'));
  if (operator === 'widen') return call('i64_from_i32', 'i32(a.x)');
  const value = type === 'i64' ? combine(operator, type, 'a', 'b', call) : combine(operator as BinaryOperator, type, 'i32(a.x)', 'i32(b.x)', call);
  return type === 'i32' || COMPARISONS.has(operator) ? call('i64_from_i32', value) : value;
}

/**
 * Computes the table on a device.
 * @throws WebGpuError when the shader does not compile or a value is wrong; the message names the first one.
 */
export async function checkKnownAnswers(device: CheckedDevice, packedDot: boolean): Promise<void> {
  const cases = KNOWN_ANSWERS.flatMap(({ rows }, index) => rows.map((row) => ({ index, operands: row.slice(0, -1), expected: row.at(-1) as bigint })));
  const units = new Uint32Array(cases.length * CASE_UNITS);
  cases.forEach(({ index, operands }, position) => {
    units[position * CASE_UNITS] = index;
    operands.forEach((operand, number) => {
      units[position * CASE_UNITS + 1 + 2 * number] = Number(BigInt.asUintN(32, operand));
      units[position * CASE_UNITS + 2 + 2 * number] = Number(BigInt.asUintN(32, operand >> 32n));
    });
  });

  const what = 'the known-answer test';
  const pipeline = await device.createPipeline(what, knownAnswerShader(packedDot), ['uniform', 'storage', 'read-only-storage']);
  const { storage, copySource, copyDestination, uniform } = BUFFER_USAGE;
  const buffers: GPUBuffer[] = [];
  const create = async (size: number, usage: number): Promise<GPUBuffer> => {
    const buffer = await device.createBuffer(what, size, usage);
    buffers.push(buffer);
    return buffer;
  };
  try {
    const run = await create(RUN_BYTES, uniform | copyDestination);
    const output = await create(cases.length * 8, storage | copySource);
    const input = await create(units.byteLength, storage | copyDestination);
    const [bytes] = await device.submit(what, (encoder) => {
      device.device.queue.writeBuffer(run, 0, encodeMoment({ iteration: cases.length, writtenNow: 0, writtenBefore: 0 }));
      device.device.queue.writeBuffer(input, 0, units);
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [run, output, input].map((buffer, binding) => ({ binding, resource: { buffer } })),
      }));
      pass.dispatchWorkgroups(Math.ceil(cases.length / 64));
      pass.end();
    }, [{ buffer: output, offset: 0, size: cases.length * 8 }]);
    const values = new BigInt64Array((bytes as Uint8Array<ArrayBuffer>).buffer);
    const wrong = cases.findIndex(({ expected }, position) => values[position] !== expected);
    if (wrong === -1) return;
    const { index, operands, expected } = cases[wrong] as (typeof cases)[number];
    const { operator, type } = KNOWN_ANSWERS[index] as KnownAnswers;
    throw new WebGpuError(`${device.description} fails the known-answer test: ${operator} (${type}) of ${operands.join(', ')} is ${expected}, the device says ${values[wrong]}: use the wasm executor`);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
