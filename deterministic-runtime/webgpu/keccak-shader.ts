import { LANES, ROTATIONS, roundTable } from '../commitment/keccak-rounds.ts';

/** Invocations of a workgroup. */
export const KECCAK_WORKGROUP = 64;
/** Bytes of `Level`, and how far apart two of them lie in a buffer: the largest alignment that WebGPU allows a device to ask for. */
export const LEVEL_BYTES = 16;
export const LEVEL_ALIGNMENT = 256;

const ROUNDS = 24;
/** Lanes of two nodes, and of one. */
const PAIR_LANES = 8;
const NODE_LANES = 4;
/** The last lane of Keccak-256's block of 136 bytes. */
const LAST_RATE_LANE = 16;

/** A lane rotated to the left: `x` holds its low half, `y` its high one. */
function rotated(lane: string, distance: number): string {
  const [low, high] = distance % 64 >= 32 ? [`${lane}.y`, `${lane}.x`] : [`${lane}.x`, `${lane}.y`];
  const shift = distance % 32;
  if (shift === 0) return `vec2<u32>(${low}, ${high})`;
  return `vec2<u32>((${low} << ${shift}u) | (${high} >> ${32 - shift}u), (${high} << ${shift}u) | (${low} >> ${32 - shift}u))`;
}

/** One round of Keccak-f[1600] (FIPS 202, 3.2): lanes `a0` … become `b0` …, and these again `a0` …. */
function round(): string {
  const lines: string[] = [];
  const lane = (x: number, y: number): string => `a${(x % 5) + 5 * y}`;
  for (let x = 0; x < 5; x += 1) lines.push(`let c${x} = ${[0, 1, 2, 3, 4].map((y) => lane(x, y)).join(' ^ ')};`);
  for (let x = 0; x < 5; x += 1) lines.push(`let d${x} = c${(x + 4) % 5} ^ ${rotated(`c${(x + 1) % 5}`, 1)};`);
  for (let x = 0; x < 5; x += 1) {
    for (let y = 0; y < 5; y += 1) {
      lines.push(`let e${x + 5 * y} = ${lane(x, y)} ^ d${x};`);
      lines.push(`let b${y + 5 * ((2 * x + 3 * y) % 5)} = ${rotated(`e${x + 5 * y}`, ROTATIONS[x + 5 * y]!)};`);
    }
  }
  for (let y = 0; y < 5; y += 1) {
    for (let x = 0; x < 5; x += 1) lines.push(`${lane(x, y)} = b${x + 5 * y} ^ (~b${((x + 1) % 5) + 5 * y} & b${((x + 2) % 5) + 5 * y});`);
  }
  lines.push('a0 = a0 ^ ROUND_CONSTANTS[round];');
  return lines.map((line) => `    ${line}`).join('\n');
}

function roundConstants(): string {
  const view = new DataView(roundTable().buffer);
  return Array.from({ length: ROUNDS }, (_, index) => `vec2<u32>(${view.getUint32(index * 8, true)}u, ${view.getUint32(index * 8 + 4, true)}u)`).join(', ');
}

/**
 * One level of a tree: of `count` pairs of nodes from `source` on, the parents go to `target` on (numbers of nodes in the buffer). A parent is 0 where both
 * nodes are, else their Keccak-256. An invocation computes one parent; a node is two `vec4<u32>`, its bytes in order.
 */
export function keccakLevelShader(): string {
  const load = Array.from({ length: PAIR_LANES }, (_, lane) => `  var a${lane} = nodes[first + ${lane >> 1}u].${lane % 2 === 0 ? 'xy' : 'zw'};`);
  const rest = Array.from({ length: LANES - PAIR_LANES }, (_, index) => {
    const lane = PAIR_LANES + index;
    const padding = lane === PAIR_LANES ? '1u, 0u' : lane === LAST_RATE_LANE ? '0u, 0x80000000u' : '0u, 0u';
    return `  var a${lane} = vec2<u32>(${padding});`;
  });
  const any = Array.from({ length: PAIR_LANES }, (_, lane) => `a${lane}`).join(' | ');
  const store = Array.from({ length: NODE_LANES / 2 }, (_, half) => `  nodes[2u * (level.target_node + pair) + ${half}u] = vec4<u32>(a${2 * half}, a${2 * half + 1}) * isNotZero;`);
  return `struct Level { source_node: u32, target_node: u32, count: u32, width: u32 }
@group(0) @binding(0) var<uniform> level: Level;
@group(0) @binding(1) var<storage, read_write> nodes: array<vec4<u32>>;
const ROUND_CONSTANTS = array<vec2<u32>, ${ROUNDS}>(${roundConstants()});
@compute @workgroup_size(${KECCAK_WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let pair = id.x + id.y * level.width;
  if (pair >= level.count) { return; }
  let first = 2u * (level.source_node + 2u * pair);
${[...load, ...rest].join('\n')}
  let bits = ${any};
  let isNotZero = select(0u, 1u, (bits.x | bits.y) != 0u);
  for (var round = 0u; round < ${ROUNDS}u; round = round + 1u) {
${round()}
  }
${store.join('\n')}
}`;
}
