import type { ScalarType } from '../language/expression.ts';
import type { Emitter } from './emitter.ts';
import { vectorizes } from './forms.ts';
import type { Form } from './forms.ts';
import type { Local } from './function-builder.ts';
import { isBoolean } from './graph.ts';
import type { ReduceNode } from './graph.ts';
import { identity, pushBinary, pushConstant } from './scalar-operators.ts';
import { pushI32x4, pushI64x2 } from './vector-operators.ts';

interface BodyForm { readonly lane: number; readonly vectors: number; readonly form: Form }

/**
 * The forms in which a reduction takes its body: vectors of neighbouring output elements; or, where the output's
 * element is one number, vectors of neighbouring rounds and then single rounds for what is left; or single rounds.
 */
export function bodyForms(emitter: Emitter, node: ReduceNode, form: Form): readonly BodyForm[] {
  const { lane, vectors } = emitter;
  const single: BodyForm = { lane, vectors, form: 'scalar' };
  if (form === 'vector') return [{ lane, vectors, form: vectorForm(node) }];
  const rounds = node.bound.kind === 'constant' ? Number(node.bound.value) : Infinity;
  if (rounds < 8 || !vectorizes(node.body, node.variable)) return [single];
  return [{ lane: node.variable, vectors: rounds < 32 ? 1 : node.type === 'i64' ? 2 : 4, form: vectorForm(node) }, single];
}

/** Sums of 0-or-1 values subtract masks. */
const vectorForm = (node: ReduceNode): Form => (node.operator === 'add' && isBoolean(node.body) ? 'mask' : 'vector');

/** Computes a reduction into `results`, as `Emitter.copies` counts them. */
export function emitReduction(emitter: Emitter, node: ReduceNode, form: Form, results: readonly Local[]): void {
  const { code } = emitter;
  const index = code.local('i32');
  const bound = (): void => emitter.use(node.bound, 'scalar');
  code.i32(0).set(index);
  const [first, rest] = bodyForms(emitter, node, form) as readonly [BodyForm, BodyForm?];
  if (form === 'vector') {
    for (const result of results) pushIdentity(emitter, node, result);
    emitter.loop(node.variable, index, 1, bound, () => accumulateVectors(emitter, node, first.form, results));
  } else if (rest === undefined) {
    for (const result of results) pushIdentity(emitter, node, result);
    emitter.loop(node.variable, index, 1, bound, () => accumulateNumbers(emitter, node, results));
  } else {
    const step = 4 * first.vectors;
    const whole = code.local('i32');
    bound();
    code.i32(-step).op('i32.and').set(whole);
    emitter.withLane(first.lane, first.vectors, () => sumByLanes(emitter, node, first.form, index, whole, results));
    code.get(index);
    bound();
    code.op('i32.lt_u').if(() => {
      emitter.loop(node.variable, index, 1, bound, () => accumulateNumbers(emitter, node, results));
    });
    code.release(whole);
  }
  code.release(index);
}

function pushIdentity({ code }: Emitter, node: ReduceNode, local: Local): void {
  pushConstant(code, node.type, identity(node.operator, node.type));
  if (local.type === 'v128') code.op(node.type === 'i32' ? 'i32x4.splat' : 'i64x2.splat');
  code.set(local);
}

function accumulateNumbers(emitter: Emitter, node: ReduceNode, results: readonly Local[]): void {
  emitter.prepare(node.body, 'scalar');
  results.forEach((result, row) => {
    pushBinary(emitter.code, node.operator, node.type, () => emitter.code.get(result), () => emitter.use(node.body, 'scalar', row));
    emitter.code.set(result);
  });
}

function accumulateVectors(emitter: Emitter, node: ReduceNode, form: Form, results: readonly Local[]): void {
  const { code } = emitter;
  emitter.prepare(node.body, form);
  const parts = node.type === 'i64' ? 2 : 1;
  results.forEach((result, number) => {
    const row = Math.floor(number / (emitter.vectors * parts));
    const unit = Math.floor(number / parts) % emitter.vectors;
    const value = (): void => emitter.use(node.body, form, row, unit, number % parts);
    if (form === 'mask') {
      code.get(result);
      value();
      code.op('i32x4.sub');
    } else {
      combine(emitter, node, () => code.get(result), value);
    }
    code.set(result);
  });
}

function combine({ code }: Emitter, node: ReduceNode, left: () => void, right: () => void): void {
  (node.type === 'i32' ? pushI32x4 : pushI64x2)(code, node.operator, left, right);
}

/** Reduces the rounds below `whole` four lanes at a time; leaves `index` at `whole`. */
function sumByLanes(emitter: Emitter, node: ReduceNode, form: Form, index: Local, whole: Local, results: readonly Local[]): void {
  const { code } = emitter;
  const perRow = emitter.vectors * (node.type === 'i64' ? 2 : 1);
  const vectors = Array.from({ length: results.length * perRow }, () => code.local('v128'));
  for (const vector of vectors) pushIdentity(emitter, node, vector);
  code.get(whole).if(() => {
    emitter.loop(node.variable, index, 4 * emitter.vectors, () => code.get(whole), () => accumulateVectors(emitter, node, form, vectors));
  });
  results.forEach((result, row) => {
    const [total, ...others] = vectors.slice(row * perRow, (row + 1) * perRow) as [Local, ...Local[]];
    for (const other of others) {
      combine(emitter, node, () => code.get(total), () => code.get(other));
      code.set(total);
    }
    combineLanes(emitter, node, node.type, total, result);
  });
  for (const vector of vectors) code.release(vector);
}

function combineLanes({ code }: Emitter, node: ReduceNode, type: ScalarType, vector: Local, result: Local): void {
  const shape = type === 'i32' ? 'i32x4' : 'i64x2';
  code.get(vector).lane(`${shape}.extract_lane`, 0).set(result);
  for (let lane = 1; lane < (type === 'i32' ? 4 : 2); lane += 1) {
    pushBinary(code, node.operator, type, () => code.get(result), () => code.get(vector).lane(`${shape}.extract_lane`, lane));
    code.set(result);
  }
}
