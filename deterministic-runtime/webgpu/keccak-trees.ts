import { HASH_BYTES, hashPairs } from '../commitment/keccak.ts';
import { treeDepth } from '../commitment/merkle-tree.ts';
import { tensorCommitments } from '../commitment/tree.ts';
import { BUFFER_USAGE, WebGpuError } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { KECCAK_WORKGROUP, keccakLevelShader, LEVEL_ALIGNMENT, LEVEL_BYTES } from './keccak-shader.ts';

/** Bytes of leaves that lie on the device at once; with the levels above them, twice as many. */
const BATCH_BYTES = 2 ** 24;
/** Workgroups that a dispatch has in one direction. */
const ROW_WORKGROUPS = 2 ** 15;

/** Hashes trees on a device. */
export interface KeccakTrees {
  /** The commitments of many tensors of one size, concatenated: what `commitTensors` gives. @throws RangeError as it does; WebGpuError when the device fails */
  commitTensors(tensors: readonly Uint8Array[]): Promise<Uint8Array>;
  dispose(): void;
}

/** @param batchBytes of leaves that lie on the device at once: a power of two, of at least two nodes; for tests. @throws WebGpuError when the shader does not compile or there is no memory */
export async function createKeccakTrees(device: CheckedDevice, batchBytes = BATCH_BYTES): Promise<KeccakTrees> {
  const pipeline = await device.createPipeline('Keccak-256 trees', keccakLevelShader(), ['uniform', 'storage']);
  const nodes = await device.createBuffer('tree nodes', 2 * batchBytes, BUFFER_USAGE.storage | BUFFER_USAGE.copyDestination | BUFFER_USAGE.copySource);
  const batchLeaves = batchBytes / HASH_BYTES;
  const batchDepth = treeDepth(batchLeaves);
  const levels = await device.createBuffer('tree levels', LEVEL_ALIGNMENT * (batchDepth + 1), BUFFER_USAGE.uniform | BUFFER_USAGE.copyDestination);
  const bindGroups = await device.guarded('binding tree levels', () => Array.from({ length: batchDepth }, (_, height) => device.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: levels, offset: height * LEVEL_ALIGNMENT, size: LEVEL_BYTES } }, { binding: 1, resource: { buffer: nodes } }],
  })));
  let batch = 0;
  const rootsOf = async (leaves: Uint8Array<ArrayBuffer>, depth: number): Promise<Uint8Array> => {
    const description = new Uint32Array((depth * LEVEL_ALIGNMENT) / 4);
    const counts: number[] = [];
    let [source, count] = [0, leaves.length / HASH_BYTES];
    const path = new SampledPath(leaves, batch);
    batch += 1;
    for (let height = 0; height < depth; height += 1) {
      const target = source + count;
      count /= 2;
      counts.push(count);
      path.passes(source);
      description.set([source, target, count, KECCAK_WORKGROUP * ROW_WORKGROUPS], (height * LEVEL_ALIGNMENT) / 4);
      source = target;
    }
    const [roots, ...pairs] = await device.submit('hashing trees', (encoder) => {
      device.device.queue.writeBuffer(nodes, 0, leaves);
      device.device.queue.writeBuffer(levels, 0, description);
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      counts.forEach((pairs, height) => {
        pass.setBindGroup(0, bindGroups[height]!);
        const workgroups = Math.ceil(pairs / KECCAK_WORKGROUP);
        pass.dispatchWorkgroups(Math.min(workgroups, ROW_WORKGROUPS), Math.ceil(workgroups / ROW_WORKGROUPS));
      });
      pass.end();
    }, [{ offset: source * HASH_BYTES, size: count * HASH_BYTES }, ...path.ranges].map((range) => ({ buffer: nodes, ...range })));
    path.check(pairs, roots!);
    return roots!;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    commitTensors(tensors) {
      // One at a time: all use the same buffers.
      const done = turn.then(() => commitOn(rootsOf, batchLeaves, tensors));
      turn = done.catch(() => {});
      return done;
    },
    dispose: () => {
      nodes.destroy();
      levels.destroy();
    },
  };
}

/**
 * One leaf's path through a batch, at another place in each: hashed again here, it shows that the device did every level, on what was uploaded. WebGPU does not
 * tell when it did nothing.
 */
class SampledPath {
  readonly #leaves: Uint8Array;
  readonly #leaf: number;
  readonly ranges: { readonly offset: number; readonly size: number }[] = [];

  constructor(leaves: Uint8Array, batch: number) {
    const count = leaves.length / HASH_BYTES;
    const isZero = (leaf: number): boolean => leaves.subarray(leaf * HASH_BYTES, (leaf + 1) * HASH_BYTES).every((byte) => byte === 0);
    this.#leaves = leaves;
    // Scattered by the golden ratio. Zeros would prove nothing: they are also what a device leaves that does nothing.
    let leaf = (Math.imul(batch, 0x9e3779b1) >>> 0) % count;
    for (let tries = 0; tries < count && isZero(leaf); tries += 1) leaf = (leaf + 1) % count;
    this.#leaf = leaf;
  }

  /** Goes through the next level, whose nodes start at number `first`. */
  passes(first: number): void {
    const pair = Math.floor(this.#leaf / 2 ** (this.ranges.length + 1));
    this.ranges.push({ offset: (first + 2 * pair) * HASH_BYTES, size: 2 * HASH_BYTES });
  }

  /** @throws WebGpuError when the device's nodes on the path do not follow from one another */
  check(pairs: readonly Uint8Array[], roots: Uint8Array): void {
    const node = (height: number): Uint8Array => {
      const index = Math.floor(this.#leaf / 2 ** height);
      const pair = pairs[height];
      return pair === undefined ? roots.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES) : pair.subarray((index % 2) * HASH_BYTES, (index % 2 + 1) * HASH_BYTES);
    };
    const same = (left: Uint8Array, right: Uint8Array): boolean => left.every((byte, index) => byte === right[index]);
    const uploaded = this.#leaves.subarray(this.#leaf * HASH_BYTES, (this.#leaf + 1) * HASH_BYTES);
    const isRight = same(uploaded, node(0)) && pairs.every((pair, height) => same(hashPairs(pair), node(height + 1)));
    if (!isRight) throw new WebGpuError('the device hashed a tree wrongly, or not at all');
  }
}

/** Roots of consecutive trees of one depth, whose leaves these are. */
type Roots = (leaves: Uint8Array<ArrayBuffer>, depth: number) => Promise<Uint8Array>;

async function commitOn(rootsOf: Roots, batchLeaves: number, tensors: readonly Uint8Array[]): Promise<Uint8Array> {
  const bytes = tensors[0]?.length ?? HASH_BYTES;
  if (bytes === 0 || bytes % HASH_BYTES !== 0) throw new RangeError(`expected whole 32-byte words, got ${bytes} bytes`);
  const wrong = tensors.findIndex((tensor) => tensor.length !== bytes);
  if (wrong >= 0) throw new RangeError(`tensor ${wrong} has ${tensors[wrong]!.length} bytes, the first has ${bytes}`);
  const words = bytes / HASH_BYTES;
  const leaves = 2 ** treeDepth(words);
  const roots = new Uint8Array(tensors.length * HASH_BYTES);
  if (leaves === 1) {
    tensors.forEach((tensor, index) => roots.set(tensor, index * HASH_BYTES));
  } else if (leaves <= batchLeaves) {
    const most = batchLeaves / leaves;
    for (let first = 0; first < tensors.length; first += most) {
      const part = tensors.slice(first, first + most);
      const joined = new Uint8Array(part.length * leaves * HASH_BYTES);
      part.forEach((tensor, index) => joined.set(tensor, index * leaves * HASH_BYTES));
      roots.set(await rootsOf(joined, treeDepth(leaves)), first * HASH_BYTES);
    }
  } else {
    for (const [index, tensor] of tensors.entries()) roots.set(await largeRoot(rootsOf, batchLeaves, tensor, leaves), index * HASH_BYTES);
  }
  return tensorCommitments(roots, words);
}

/** The root of a tree that is larger than a batch: its subtrees' roots from the device, and the few levels above them. */
async function largeRoot(rootsOf: Roots, batchLeaves: number, tensor: Uint8Array, leaves: number): Promise<Uint8Array> {
  const batchBytes = batchLeaves * HASH_BYTES;
  let nodes: Uint8Array = new Uint8Array((leaves / batchLeaves) * HASH_BYTES);
  for (let subtree = 0; subtree * batchBytes < tensor.length; subtree += 1) {
    const part = new Uint8Array(batchBytes);
    part.set(tensor.subarray(subtree * batchBytes, (subtree + 1) * batchBytes));
    nodes.set(await rootsOf(part, treeDepth(batchLeaves)), subtree * HASH_BYTES);
  }
  while (nodes.length > HASH_BYTES) nodes = hashPairs(nodes);
  return nodes;
}
