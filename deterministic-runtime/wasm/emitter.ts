import { pushScalar, pushVector } from './compute.ts';
import { demands, dotDemands, isImmediate, normalForm, planesDemands } from './forms.ts';
import type { Form } from './forms.ts';
import type { FunctionBuilder, Local } from './function-builder.ts';
import { ROW, isDotSum, variesWith } from './graph.ts';
import type { Node, TensorNode, VariableNode } from './graph.ts';
import { emitVectorLoad } from './loads.ts';
import { emitDotSum } from './dot-sums.ts';
import { emitPlanes } from './planes.ts';
import { bodyForms, emitReduction } from './reductions.ts';
import { pushConstant } from './scalar-operators.ts';

/** Code between a loop's start and end, or the whole function: values computed there are known there. */
interface Frame {
  readonly variable: number;
  readonly locals: readonly Local[];
  readonly values: Map<string, readonly Local[]>;
}

/** How many copies of a value a form holds: one a row of the jam, one a vector (or lane), two a vector of i64. */
export interface Copies { readonly rows: number; readonly units: number; readonly parts: number }

/**
 * Writes the code of values into a function. Every value is computed once, in the outermost loop in which all that it
 * depends on is known; several output rows and several vectors of lanes are computed side by side.
 */
export class Emitter {
  readonly code: FunctionBuilder;
  readonly #tensors: (operand: number) => Local;
  #frames: Frame[] = [];
  /** The variable that lanes differ in; see `Form`. */
  lane = 0;
  /** Vectors of four lanes side by side. */
  vectors = 1;
  /** Output rows side by side. */
  rows = 1;

  constructor(code: FunctionBuilder, tensors: (operand: number) => Local) {
    this.code = code;
    this.#tensors = tensors;
  }

  /** Code inside which `variable` is known; `locals` are its values, one for each row of the jam where it is the row. */
  frame(variable: number, locals: readonly Local[], body: () => void): void {
    if (this.#frames.some((frame) => frame.variable === variable)) throw new Error('a reduction stands inside one of the same depth');
    const frame = { variable, locals, values: new Map<string, readonly Local[]>() };
    this.#frames.push(frame);
    body();
    this.#frames.pop();
    for (const values of frame.values.values()) for (const local of values) this.code.release(local);
  }

  /** Runs `body` with another lane variable. */
  withLane<T>(lane: number, vectors: number, body: () => T): T {
    const before = { lane: this.lane, vectors: this.vectors };
    Object.assign(this, { lane, vectors });
    const result = body();
    Object.assign(this, before);
    return result;
  }

  copies(node: Node, form: Form): Copies {
    const varies = variesWith(node, this.lane);
    const units = { scalar: 1, vector: this.vectors, mask: this.vectors, lanes: 4 * this.vectors }[form];
    return {
      rows: (node.free & ROW) === 0 ? 1 : this.rows,
      units: varies ? units : 1,
      parts: varies && form === 'vector' && node.type === 'i64' ? 2 : 1,
    };
  }

  /** Writes the code for a value and all that it needs, as far as that is possible already: the rest is for inner loops. */
  prepare(node: Node, form: Form): void { this.#visit(node, form, new Set()); }

  #visit(node: Node, requested: Form, seen: Set<string>): void {
    const form = normalForm(node, requested, this.lane);
    if (isImmediate(node, form) || this.#find(node, form) !== undefined) return;
    const key = `${node.id} ${form} ${this.lane}`;
    if (seen.has(key)) return;
    seen.add(key);
    const own = this.#hasOwnCode(node, form);
    if (own && isDotSum(node)) {
      for (const [child, childForm] of dotDemands(node, this.lane)) this.#visit(child, childForm, seen);
    } else if (own && node.kind === 'planes') {
      for (const [child, childForm] of planesDemands(node, this.lane)) this.#visit(child, childForm, seen);
    } else if (own && node.kind === 'reduce') {
      this.#visit(node.bound, 'scalar', seen);
      for (const { lane, vectors, form: bodyForm } of bodyForms(this, node, form)) {
        this.withLane(lane, vectors, () => this.#visit(node.body, bodyForm, seen));
      }
    } else {
      for (const [child, childForm] of demands(node, form, this.lane)) this.#visit(child, childForm, seen);
    }
    const available = this.#frames.reduce((variables, frame) => variables | frame.variable, 0);
    if ((node.free & ~available) === 0) this.#emit(node, form);
  }

  /** False for the forms that are made from another form of the same value. */
  #hasOwnCode(node: Node, form: Form): boolean {
    return form === (variesWith(node, this.lane) ? 'vector' : 'scalar');
  }

  #emit(node: Node, form: Form): void {
    const { rows, units, parts } = this.copies(node, form);
    const type = form === 'scalar' || form === 'lanes' ? node.type : 'v128';
    const locals = Array.from({ length: rows * units * parts }, () => this.code.local(type));
    const own = this.#hasOwnCode(node, form);
    if (own && isDotSum(node)) {
      emitDotSum(this, node, form, locals);
    } else if (own && node.kind === 'planes') {
      emitPlanes(this, node, locals);
    } else if (own && node.kind === 'reduce') {
      emitReduction(this, node, form, locals);
    } else if (own && node.kind === 'load' && form === 'vector') {
      emitVectorLoad(this, node, locals);
    } else {
      for (let index = 0; index < locals.length; index += 1) {
        const row = Math.floor(index / (units * parts));
        const unit = Math.floor(index / parts) % units;
        if (form === 'scalar') pushScalar(this, node, row);
        else pushVector(this, node, form, row, unit, index % parts);
        this.code.set(locals[index]!);
      }
    }
    this.#frames.at(-1)!.values.set(`${node.id} ${form}`, locals);
  }

  #find(node: Node, form: Form): readonly Local[] | undefined {
    const key = `${node.id} ${form}`;
    for (let index = this.#frames.length - 1; index >= 0; index -= 1) {
      const found = this.#frames[index]!.values.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Pushes a value that was prepared: for row `row` of the jam; `unit` is the vector's number, or the lane's for `lanes`;
   * `part` the half of a vector of i64.
   */
  use(node: Node, requested: Form, row = 0, unit = 0, part = 0): void {
    const form = normalForm(node, requested, this.lane);
    if (isImmediate(node, form)) {
      this.#useImmediate(node, row);
      return;
    }
    const locals = this.#find(node, form);
    if (locals === undefined) throw new Error(`internal error: ${node.kind} was not prepared as ${form}`);
    const { rows, units, parts } = this.copies(node, form);
    const index = ((rows > 1 ? row : 0) * units + (units > 1 ? unit : 0)) * parts + (parts > 1 ? part : 0);
    this.code.get(locals[index]!);
  }

  #useImmediate(node: Node, row: number): void {
    if (node.kind === 'constant') pushConstant(this.code, node.type, node.value);
    else if (node.kind === 'tensor') this.code.get(this.#tensors((node satisfies TensorNode).operand));
    else this.code.get(this.#variable(node as VariableNode, row));
  }

  #variable(node: VariableNode, row: number): Local {
    const frame = this.#frames.find(({ variable }) => variable === node.free);
    const local = frame?.locals[node.free === ROW ? row : 0];
    if (local === undefined) throw new Error('a kernel uses the index of a reduction outside it');
    return local;
  }

  /** A loop over `variable` in steps of `step`, from what `index` holds up to `limit`; it runs at least once. */
  loop(variable: number, index: Local, step: number, limit: () => void, body: () => void): void {
    this.code.loop((next) => {
      this.frame(variable, [index], body);
      this.code.get(index).i32(step).op('i32.add').tee(index);
      limit();
      this.code.op('i32.lt_u').branchIf(next);
    });
  }
}
