import { ROW } from './graph.ts';
import type { Emitter } from './emitter.ts';
import { loadMethod } from './forms.ts';
import type { Local } from './function-builder.ts';
import type { LoadNode } from './graph.ts';

/** Loads elements that differ between lanes into `locals`: for each row of the jam, one a vector. */
export function emitVectorLoad(emitter: Emitter, node: LoadNode, locals: readonly Local[]): void {
  const rows = (node.free & ROW) === 0 ? 1 : emitter.rows;
  for (let row = 0; row < rows; row += 1) {
    const vectors = locals.slice(row * emitter.vectors, (row + 1) * emitter.vectors);
    const method = loadMethod(node, emitter.lane);
    if (method.kind === 'contiguous') loadNeighbours(emitter, node, vectors, () => emitter.use(node.address, 'scalar', row));
    else if (method.kind === 'masked') loadMasked(emitter, node, vectors, row, method.limit);
    else if (method.kind === 'strided') loadEach(emitter, node, vectors, (lane) => {
      emitter.use(node.address, 'scalar', row);
      return lane * method.distance;
    });
    else loadEach(emitter, node, vectors, (lane) => {
      emitter.use(node.address, 'lanes', row, lane);
      return 0;
    });
  }
}

/** Elements one after another, starting at the address that `push` pushes. */
function loadNeighbours({ code }: Emitter, node: LoadNode, vectors: readonly Local[], push: () => void): void {
  if (node.element === 'i32') {
    vectors.forEach((vector, index) => {
      push();
      code.memory('v128.load', index * 16).set(vector);
    });
    return;
  }
  for (let index = 0; index < vectors.length; index += 4) {
    push();
    const group = vectors.slice(index, index + 4);
    if (group.length < 4) {
      group.forEach((vector, position) => {
        if (position > 0) push();
        code.memory('v128.load32_zero', (index + position) * 4).op('i16x8.extend_low_i8x16_s').op('i32x4.extend_low_i16x8_s').set(vector);
      });
      continue;
    }
    const bytes = code.local('v128');
    const half = code.local('v128');
    code.memory('v128.load', index * 4).set(bytes);
    code.get(bytes).op('i16x8.extend_low_i8x16_s').tee(half).op('i32x4.extend_low_i16x8_s').set(group[0]!);
    code.get(half).op('i32x4.extend_high_i16x8_s').set(group[1]!);
    code.get(bytes).op('i16x8.extend_high_i8x16_s').tee(half).op('i32x4.extend_low_i16x8_s').set(group[2]!);
    code.get(half).op('i32x4.extend_high_i16x8_s').set(group[3]!);
    code.release(bytes);
    code.release(half);
  }
}

/** Neighbours of which those outside [0, limit) are zero. The address is kept within reach of the row, so nothing can trap. */
function loadMasked(emitter: Emitter, node: LoadNode, vectors: readonly Local[], row: number, limit: number): void {
  const { code } = emitter;
  const lanes = 4 * vectors.length;
  const column = code.local('i32');
  const address = code.local('i32');
  const bound = (limitation: number, comparison: 'i32.lt_s' | 'i32.gt_s'): void => {
    code.get(column).i32(limitation).get(column).i32(limitation).op(comparison).op('select').set(column);
  };
  emitter.use(node.column, 'scalar', row);
  code.set(column);
  bound(limit, 'i32.lt_s');
  bound(-lanes, 'i32.gt_s');
  emitter.use(node.base, 'scalar', row);
  code.get(column);
  if (node.element === 'i32') code.i32(2).op('i32.shl');
  code.op('i32.add').set(address);
  loadNeighbours(emitter, node, vectors, () => code.get(address));
  vectors.forEach((vector, unit) => {
    code.get(vector);
    emitter.use(node.column, 'vector', row, unit);
    code.i32x4(limit, limit, limit, limit).op('i32x4.lt_u').op('v128.and').set(vector);
  });
  code.release(column);
  code.release(address);
}

/** Elements lane by lane; `push` pushes a lane's address and returns a static offset to it. */
function loadEach({ code }: Emitter, node: LoadNode, vectors: readonly Local[], push: (lane: number) => number): void {
  vectors.forEach((vector, unit) => {
    const first = push(4 * unit);
    code.memory(node.element === 'i8' ? 'i32.load8_s' : 'i32.load', first).op('i32x4.splat').set(vector);
    for (let lane = 1; lane < 4; lane += 1) {
      code.get(vector);
      const offset = push(4 * unit + lane);
      code.memory(node.element === 'i8' ? 'i32.load8_s' : 'i32.load', offset).lane('i32x4.replace_lane', lane).set(vector);
    }
  });
}
