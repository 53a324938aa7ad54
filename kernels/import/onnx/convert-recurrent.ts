import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { describe, integer, text } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** Steps of a sequence that are unrolled, at most. */
const MAXIMUM_STEPS = 1024;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Weights of one direction; gates as the file orders them: i, o, f, c (LSTM), z, r, h (GRU), one (RNN). */
interface Cell { readonly input: FloatTensor; readonly recurrent: FloatTensor; readonly bias: Float32Array; readonly recurrentBias: Float32Array; readonly peepholes: Float32Array | null }

/** LSTM, GRU and RNN, unrolled: weights must be constant, activations are the default ones. */
export function convertRecurrent(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[node.operator] ?? 1;
  const weights = conversion.constantInput(node, 1, 'weights');
  const recurrent = conversion.constantInput(node, 2, 'recurrent weights');
  const [directions = 1, rows = 0, inputs = 0] = weights.dims;
  const hidden = rows / gates;
  const batchFirst = integer(node, 'layout', 0) !== 0;
  const [steps = 1, batch = 1] = batchFirst ? [dims[1], dims[0]] : [dims[0], dims[1]];
  const direction = text(node, 'direction', 'forward');
  if (dims.length !== 3 || weights.dims.length !== 3 || recurrent.data.length !== directions * rows * hidden || dims[2] !== inputs || !Number.isInteger(hidden)) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] and weights [${weights.dims.join(', ')}] do not fit`);
  if (steps > MAXIMUM_STEPS) throw new ImportError(`${describe(node)}: ${steps} steps; at most ${MAXIMUM_STEPS} are unrolled`);
  const defaults = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'], RNN: ['Tanh'] }[node.operator] ?? [];
  const named = node.attributes.get('activations');
  if (Array.isArray(named) && named.some((name, index) => name !== defaults[index % defaults.length])) throw new ImportError(`${describe(node)}: activations other than ${defaults.join(', ')} are not supported`);
  if (node.attributes.has('clip')) throw new ImportError(`${describe(node)}: clip is not supported`);
  if (conversion.hasInput(node, 4) && conversion.constantInput(node, 4, 'sequence lengths').data.some((length) => length !== steps)) throw new ImportError(`${describe(node)}: sequences of different lengths are not supported`);
  if (integer(node, 'input_forget', 0) !== 0) throw new ImportError(`${describe(node)}: input_forget is not supported`);

  const x = batchFirst ? conversion.step(node, 'steps', { kind: 'transpose', x: conversion.input(node, 0), order: [1, 0, 2] }, [steps, batch, inputs]) : conversion.input(node, 0);
  const bias = conversion.hasInput(node, 3) ? conversion.constantInput(node, 3, 'bias').data : new Float32Array(directions * 2 * rows);
  const peepholes = node.operator === 'LSTM' && conversion.hasInput(node, 7) ? conversion.constantInput(node, 7, 'peepholes').data : null;
  const results = Array.from({ length: directions }, (_, index) => {
    const part = (data: Float32Array | Float64Array, size: number): Float32Array => Float32Array.from(data.subarray(index * size, (index + 1) * size));
    const both = part(bias, 2 * rows);
    const cell: Cell = {
      input: { dims: [rows, inputs], data: part(weights.data, rows * inputs) },
      recurrent: { dims: [rows, hidden], data: part(recurrent.data, rows * hidden) },
      bias: both.subarray(0, rows),
      recurrentBias: both.subarray(rows),
      peepholes: peepholes === null ? null : part(peepholes, 3 * hidden),
    };
    const backwards = direction === 'reverse' || (direction === 'bidirectional' && index === 1);
    return unroll(conversion, node, `direction${index}`, x, cell, { steps, batch, inputs, hidden, backwards, index, directions });
  });
  finish(conversion, node, results, { steps, batch, hidden, batchFirst });
}

interface Sizes { readonly steps: number; readonly batch: number; readonly inputs: number; readonly hidden: number; readonly backwards: boolean; readonly index: number; readonly directions: number }

interface Unrolled { readonly outputs: readonly string[]; readonly last: string; readonly cell: string | null }

function unroll(conversion: Conversion, node: OnnxNode, name: string, x: string, cell: Cell, sizes: Sizes): Unrolled {
  const { steps, batch, hidden, backwards } = sizes;
  const initial = (input: number, what: string): string => {
    if (!conversion.hasInput(node, input)) return conversion.constant(node, `${name}.${what}`, [batch, hidden], new Float32Array(batch * hidden));
    const given = conversion.input(node, input);
    const own = conversion.dimsOf(node, given);
    if (elementCount(own) !== sizes.directions * batch * hidden) throw new ImportError(`${describe(node)}: an initial state [${own.join(', ')}]`);
    const turnedState = integer(node, 'layout', 0) !== 0 ? conversion.step(node, `${name}.${what}.turned`, { kind: 'transpose', x: given, order: [1, 0, 2] }, [sizes.directions, batch, hidden]) : given;
    const slice = conversion.step(node, `${name}.${what}.slice`, { kind: 'slice', x: turnedState, starts: [sizes.index, 0, 0], steps: [1, 1, 1] }, [1, batch, hidden]);
    return conversion.step(node, `${name}.${what}`, { kind: 'reshape', x: slice }, [batch, hidden]);
  };
  let state = initial(5, 'state');
  let memory = node.operator === 'LSTM' ? initial(6, 'memory') : null;
  const outputs = new Array<string>(steps);
  // What the inputs add is computed for all steps at once.
  const rows = cell.input.dims[0] ?? 1;
  const all = conversion.step(node, `${name}.inputs`, { kind: 'dense', x, weights: cell.input, bias: cell.bias, range: null }, [steps, batch, rows]);
  for (let count = 0; count < steps; count += 1) {
    const at = backwards ? steps - 1 - count : count;
    const now = `${name}.step${at}`;
    const step = (what: string, parts: Parameters<Conversion['step']>[2], width: number): string => conversion.step(node, `${now}.${what}`, parts, [batch, width], 'float');
    const given = conversion.step(node, `${now}.given`, { kind: 'slice', x: all, starts: [at, 0, 0], steps: [1, 1, 1] }, [1, batch, rows]);
    const fed = step('fed', { kind: 'reshape', x: given }, rows);
    const recur = (value: string, from: number, to: number, what: string): string =>
      step(what, { kind: 'dense', x: value, weights: { dims: [(to - from) * hidden, hidden], data: cell.recurrent.data.slice(from * hidden * hidden, to * hidden * hidden) }, bias: cell.recurrentBias.slice(from * hidden, to * hidden), range: null }, (to - from) * hidden);
    const gate = (value: string, index: number, what: string): string => step(what, { kind: 'slice', x: value, starts: [0, index * hidden], steps: [1, 1] }, hidden);
    const apply = (value: string, of: (x: number) => number, what: string): string => step(what, { kind: 'function', x: value, apply: of }, hidden);
    const add = (left: string, right: string, what: string, width = hidden): string => step(what, { kind: 'add', ...ordered(conversion, left, right), range: null }, width);
    const times = (left: string, right: string, what: string): string => step(what, { kind: 'multiply', ...ordered(conversion, left, right), range: null }, hidden);
    const peep = (value: string, index: number, what: string, from: string): string =>
      cell.peepholes === null ? value : add(value, times(from, conversion.constant(node, `${now}.${what}.weights`, [hidden], cell.peepholes.slice(index * hidden, (index + 1) * hidden)), `${what}.peep`), `${what}.sum`);
    if (node.operator === 'LSTM' && memory !== null) {
      const sums = add(fed, recur(state, 0, 4, 'recurrent'), 'sums', rows);
      const input = apply(peep(gate(sums, 0, 'i'), 0, 'i.peephole', memory), sigmoid, 'input');
      const forget = apply(peep(gate(sums, 2, 'f'), 2, 'f.peephole', memory), sigmoid, 'forget');
      const candidate = apply(gate(sums, 3, 'c'), Math.tanh, 'candidate');
      memory = add(times(forget, memory, 'kept'), times(input, candidate, 'new'), 'memory');
      const output = apply(peep(gate(sums, 1, 'o'), 1, 'o.peephole', memory), sigmoid, 'output');
      state = times(output, apply(memory, Math.tanh, 'squashed'), 'state');
    } else if (node.operator === 'GRU') {
      const sums = add(gateRange(step, fed, 0, 2, hidden), recur(state, 0, 2, 'recurrent'), 'sums', 2 * hidden);
      const update = apply(gate(sums, 0, 'z'), sigmoid, 'update');
      const reset = apply(gate(sums, 1, 'r'), sigmoid, 'reset');
      const before = integer(node, 'linear_before_reset', 0) !== 0;
      const past = before ? times(reset, recur(state, 2, 3, 'past'), 'past.reset') : recur(times(reset, state, 'state.reset'), 2, 3, 'past');
      const candidate = apply(add(gate(fed, 2, 'h'), past, 'h.sum'), Math.tanh, 'candidate');
      // (1 − z) · candidate + z · state
      const difference = step('difference', { kind: 'operation', operation: 'subtract', x: state, b: candidate }, hidden);
      state = add(candidate, times(update, difference, 'moved'), 'state');
    } else {
      state = apply(add(fed, recur(state, 0, 1, 'recurrent'), 'sums'), Math.tanh, 'state');
    }
    outputs[at] = state;
  }
  return { outputs, last: state, cell: memory };
}

const gateRange = (step: (what: string, parts: Parameters<Conversion['step']>[2], width: number) => string, value: string, from: number, count: number, hidden: number): string =>
  step('gates', { kind: 'slice', x: value, starts: [0, from * hidden], steps: [1, 1] }, count * hidden);

/** A constant stands second. */
const ordered = (conversion: Conversion, left: string, right: string): { readonly x: string; readonly b: string } => (conversion.constants.has(left) ? { x: right, b: left } : { x: left, b: right });

function finish(conversion: Conversion, node: OnnxNode, results: readonly Unrolled[], { steps, batch, hidden, batchFirst }: { readonly steps: number; readonly batch: number; readonly hidden: number; readonly batchFirst: boolean }): void {
  const directions = results.length;
  const join = (names: readonly string[], dims: readonly number[], axis: number, what: string): string => {
    const [x = '', ...others] = names;
    return others.length === 0 ? x : conversion.step(node, what, { kind: 'concatenation', x, others, axis }, dims);
  };
  const give = (output: number, value: string, dims: readonly number[], order: readonly number[]): void => {
    const name = node.outputs[output] ?? '';
    if (name === '') return;
    const own = { ...node, outputs: [name] };
    if (batchFirst) conversion.add(own, { kind: 'transpose', x: value, order }, order.map((axis) => dims[axis] ?? 1));
    else conversion.add(own, { kind: 'reshape', x: value }, dims);
  };
  if ((node.outputs[0] ?? '') !== '') {
    const lines = results.map(({ outputs }, index) => join(outputs.map((name, at) => conversion.step(node, `y${index}.${at}`, { kind: 'reshape', x: name }, [1, 1, batch, hidden])), [steps, 1, batch, hidden], 0, `y${index}`));
    give(0, join(lines, [steps, directions, batch, hidden], 1, 'y'), [steps, directions, batch, hidden], [2, 0, 1, 3]);
  }
  const states = (of: (result: Unrolled) => string, what: string): string => join(results.map((result, index) => conversion.step(node, `${what}${index}`, { kind: 'reshape', x: of(result) }, [1, batch, hidden])), [directions, batch, hidden], 0, what);
  if ((node.outputs[1] ?? '') !== '') give(1, states(({ last }) => last, 'h'), [directions, batch, hidden], [1, 0, 2]);
  if ((node.outputs[2] ?? '') !== '') give(2, states(({ cell }) => cell ?? '', 'c'), [directions, batch, hidden], [1, 0, 2]);
}
