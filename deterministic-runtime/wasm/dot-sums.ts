import type { Emitter } from './emitter.ts';
import { dotDemands, wordForm } from './forms.ts';
import type { Form } from './forms.ts';
import type { Local } from './function-builder.ts';
import { ROW } from './graph.ts';
import type { DotNode, Node } from './graph.ts';
import { pushLaneSum, pushLaneSums } from './vector-operators.ts';

/** Rounds from which on columns are summed one after another. */
const MANY_ROUNDS = 4;
/** Partial sums of one column, which rounds' additions need not wait for each other. */
const PARTS = 4;

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
  if (rows === 1 && columns > 1 && isLong(node)) accumulateInTurn(emitter, node, accumulators[0]!);
  else accumulate(emitter, node, { accumulators, lanes: accumulators[0]!.map((_, lane) => lane) });
  results.forEach((result, number) => {
    if (form === 'vector') pushLaneSums(code, accumulators.flat().slice(number * 4, number * 4 + 4) as unknown as readonly [Local, Local, Local, Local]);
    else pushLaneSum(code, accumulators[number]![0]!);
    code.set(result);
  });
  for (const accumulator of accumulators.flat()) code.release(accumulator);
}

const isLong = (node: Node): boolean => node.kind === 'reduce' && node.body.kind === 'dot' && (node.bound.kind !== 'constant' || node.bound.value >= MANY_ROUNDS);

/** One column after another: processors fetch memory ahead along one row of weights, but lose their way among four. */
function accumulateInTurn(emitter: Emitter, node: Node, columns: readonly Local[]): void {
  const { code } = emitter;
  const parts = Array.from({ length: PARTS }, () => code.local('v128'));
  columns.forEach((column, lane) => {
    for (const part of parts) code.i32x4(0, 0, 0, 0).set(part);
    accumulate(emitter, node, { accumulators: [parts], lanes: [lane] });
    code.get(parts[0]!);
    for (const part of parts.slice(1)) code.get(part).op('i32x4.add');
    code.set(column);
  });
  for (const part of parts) code.release(part);
}

/** What is added up: an accumulator a row and lane; or, of one row and one lane, several that take turns. */
interface Target {
  readonly accumulators: readonly (readonly Local[])[];
  readonly lanes: readonly number[];
}

function accumulate(emitter: Emitter, node: Node, target: Target): void {
  const { code } = emitter;
  for (const [needed, form] of dotDemands(node, emitter.lane)) emitter.prepare(needed, form);
  if (node.kind === 'dot') {
    accumulateDot(emitter, node, target);
  } else if (node.kind === 'binary') {
    accumulate(emitter, node.left, target);
    accumulate(emitter, node.right, target);
  } else if (node.kind === 'reduce') {
    const index = code.local('i32');
    code.i32(0).set(index);
    emitter.loop(node.variable, index, 1, () => emitter.use(node.bound, 'scalar'), () => accumulate(emitter, node.body, target));
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

function accumulateDot(emitter: Emitter, node: DotNode, { accumulators, lanes }: Target): void {
  const { code } = emitter;
  const sides = [sideOf(emitter, node.left), sideOf(emitter, node.right)] as const;
  const [held, streamed] = sides[0].rows * sides[0].lanes <= sides[1].rows * sides[1].lanes ? sides : [sides[1], sides[0]];
  const lanesOf = (side: Side): readonly number[] => (side.lanes > 1 ? lanes : [0]);
  const heldLanes = lanesOf(held);
  const values = Array.from({ length: held.rows * heldLanes.length }, () => code.local('v128'));
  const value = code.local('v128');
  for (let offset = 0; offset < node.bytes; offset += 8) {
    values.forEach((local, number) => {
      held.load(Math.floor(number / heldLanes.length), heldLanes[number % heldLanes.length]!, offset);
      code.set(local);
    });
    for (let row = 0; row < streamed.rows; row += 1) {
      lanesOf(streamed).forEach((lane, position) => {
        streamed.load(row, lane, offset);
        code.set(value);
        accumulators.forEach((columns, y) => lanes.forEach((_, x) => {
          if ((streamed.rows > 1 && y !== row) || (streamed.lanes > 1 && x !== position)) return;
          const accumulator = columns[lanes.length === 1 ? (offset / 8) % columns.length : x]!;
          const other = values[(held.rows > 1 ? y : 0) * heldLanes.length + (held.lanes > 1 ? x : 0)]!;
          code.get(accumulator).get(other).get(value).op('i32x4.dot_i16x8_s').op('i32x4.add').set(accumulator);
        }));
      });
    }
  }
  for (const local of [...values, value]) code.release(local);
}
