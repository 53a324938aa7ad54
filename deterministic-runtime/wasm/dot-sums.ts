import type { Emitter } from './emitter.ts';
import { dotDemands, wordForm } from './forms.ts';
import type { Form } from './forms.ts';
import type { Local } from './function-builder.ts';
import { ROW } from './graph.ts';
import type { DotNode, Node } from './graph.ts';
import { pushLaneSum, pushLaneSums } from './vector-operators.ts';

/**
 * Computes a sum of 32-byte dot products into `results`. Every output element has an accumulator of four partial sums,
 * which are added up at the very end; addition wraps, so the order does not matter.
 */
export function emitDotSum(emitter: Emitter, node: Node, form: Form, results: readonly Local[]): void {
  const { code } = emitter;
  const rows = (node.free & ROW) === 0 ? 1 : emitter.rows;
  const columns = form === 'vector' ? 4 * emitter.vectors : 1;
  const accumulators = Array.from({ length: rows }, () => Array.from({ length: columns }, () => code.local('v128')));
  for (const accumulator of accumulators.flat()) code.i32x4(0, 0, 0, 0).set(accumulator);
  accumulate(emitter, node, accumulators);
  results.forEach((result, number) => {
    if (form === 'vector') pushLaneSums(code, accumulators.flat().slice(number * 4, number * 4 + 4) as unknown as readonly [Local, Local, Local, Local]);
    else pushLaneSum(code, accumulators[number]![0]!);
    code.set(result);
  });
  for (const accumulator of accumulators.flat()) code.release(accumulator);
}

function accumulate(emitter: Emitter, node: Node, accumulators: readonly (readonly Local[])[]): void {
  const { code } = emitter;
  for (const [needed, form] of dotDemands(node, emitter.lane)) emitter.prepare(needed, form);
  if (node.kind === 'dot') {
    accumulateDot(emitter, node, accumulators);
  } else if (node.kind === 'binary') {
    accumulate(emitter, node.left, accumulators);
    accumulate(emitter, node.right, accumulators);
  } else if (node.kind === 'reduce') {
    const index = code.local('i32');
    code.i32(0).set(index);
    emitter.loop(node.variable, index, 1, () => emitter.use(node.bound, 'scalar'), () => accumulate(emitter, node.body, accumulators));
    code.release(index);
  }
}

/** Words that one side of a dot product reads: a row of the jam and a lane each, where they differ. */
interface Side {
  readonly rows: number;
  readonly lanes: number;
  /** Pushes eight bytes of a word, from byte `offset`, widened to 16 bits. */
  readonly load: (row: number, lane: number, offset: number) => void;
}

function sideOf(emitter: Emitter, address: Node): Side {
  const { code } = emitter;
  const { form, distance } = wordForm(address, emitter.lane);
  return {
    rows: (address.free & ROW) === 0 ? 1 : emitter.rows,
    lanes: (address.free & emitter.lane) === 0 ? 1 : 4 * emitter.vectors,
    load(row, lane, offset) {
      emitter.use(address, form, row, lane);
      code.memory('v128.load8x8_s', offset + (form === 'scalar' ? lane * distance : 0), 3);
    },
  };
}

function accumulateDot(emitter: Emitter, node: DotNode, accumulators: readonly (readonly Local[])[]): void {
  const { code } = emitter;
  const sides = [sideOf(emitter, node.left), sideOf(emitter, node.right)] as const;
  const [held, streamed] = sides[0].rows * sides[0].lanes <= sides[1].rows * sides[1].lanes ? sides : [sides[1], sides[0]];
  const values = Array.from({ length: held.rows * held.lanes }, () => code.local('v128'));
  const value = code.local('v128');
  for (let offset = 0; offset < node.bytes; offset += 8) {
    values.forEach((local, number) => {
      held.load(Math.floor(number / held.lanes), number % held.lanes, offset);
      code.set(local);
    });
    for (let row = 0; row < streamed.rows; row += 1) {
      for (let lane = 0; lane < streamed.lanes; lane += 1) {
        streamed.load(row, lane, offset);
        code.set(value);
        accumulators.forEach((columns, y) => columns.forEach((accumulator, x) => {
          if ((streamed.rows > 1 && y !== row) || (streamed.lanes > 1 && x !== lane)) return;
          const other = values[(held.rows > 1 ? y : 0) * held.lanes + (held.lanes > 1 ? x : 0)]!;
          code.get(accumulator).get(other).get(value).op('i32x4.dot_i16x8_s').op('i32x4.add').set(accumulator);
        }));
      }
    }
  }
  for (const local of [...values, value]) code.release(local);
}
