import { memoryStore } from '../deterministic-runtime/bundle/constant-store.ts';
import type { ConstantStore } from '../deterministic-runtime/bundle/constant-store.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Model, Operand, Operator, Program, Section } from '../deterministic-runtime/program/program.ts';
import { byteLength, packTensor } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';

/** What a program is besides its operators. */
export interface ProgramDescription {
  readonly name: string;
  readonly signature: string;
  readonly input: TensorShape;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A tensor that operators may read: an operand with its shape. */
export interface Tensor { readonly operand: Operand; readonly shape: TensorShape }

/** An operator to append. `operands` in the order of the kernel's own. */
export interface Application {
  readonly kernel: Kernel;
  readonly output: TensorShape;
  readonly operands: readonly Tensor[];
  readonly parameters?: Readonly<Record<string, number>>;
  /** What the operator was announced as by `forward`. */
  readonly as?: ForwardTensor;
}

/** The output of a body operator that is appended later. */
export interface ForwardTensor extends Tensor { readonly operand: { readonly kind: 'body'; operator: number } }

/**
 * Puts together a program. Operators are appended to the prologue, until `beginBody` and `beginEpilogue` say otherwise; the last one gives the
 * result. A body's last operator writes one word, and the body stops after the iteration in which that is not zero.
 */
export class ProgramBuilder {
  readonly #description: ProgramDescription;
  readonly #kernels: Kernel[] = [];
  readonly #shapes: TensorShape[] = [];
  readonly #store: ConstantStore;
  readonly #sections: Readonly<Record<Section, Operator[]>> = { prologue: [], body: [], epilogue: [] };
  readonly #forward = new Set<ForwardTensor['operand']>();
  #section: Section = 'prologue';
  #maxIterations = 0;

  /** @param store where constants go: memory, if nothing is said */
  constructor(description: ProgramDescription, store: ConstantStore = memoryStore()) {
    this.#description = description;
    this.#store = store;
  }

  /** The request's input. */
  get input(): Tensor {
    return { operand: { kind: 'input' }, shape: this.#description.input };
  }

  /** The request's seed: one word of 32 bytes. */
  get seed(): Tensor {
    return { operand: { kind: 'seed' }, shape: { element: 'i8', rows: 1, columns: 32 } };
  }

  /** Adds an i8 constant of dense row-major elements. @throws RangeError on a wrong number of them. */
  bytes(rows: number, columns: number, elements: Int8Array | Uint8Array): Tensor {
    return this.#constant({ element: 'i8', rows, columns }, new Uint8Array(elements.buffer, elements.byteOffset, elements.length));
  }

  /** Adds an i32 constant of dense row-major elements. @throws RangeError on a wrong number of them. */
  integers(rows: number, columns: number, elements: Int32Array): Tensor {
    const bytes = new Uint8Array(elements.length * 4);
    const view = new DataView(bytes.buffer);
    elements.forEach((element, index) => view.setInt32(index * 4, element, true));
    return this.#constant({ element: 'i32', rows, columns }, bytes);
  }

  /** Adds a constant that is padded to words already, without copying it. @throws RangeError on a wrong size. */
  words(shape: TensorShape, words: Uint8Array): Tensor {
    if (words.length !== byteLength(shape)) throw new RangeError(`a constant of ${shape.rows} × ${shape.columns} ${shape.element} has ${byteLength(shape)} bytes of padded words, not ${words.length}`);
    this.#store.add(shape, words);
    return { operand: { kind: 'constant', constant: this.#shapes.push(shape) - 1 }, shape };
  }

  /** From here on operators belong to the body, which runs at most `maxIterations` times. @throws Error out of order. */
  beginBody(maxIterations: number): void {
    if (this.#section !== 'prologue') throw new Error('a program has one body, behind its prologue');
    if (!Number.isInteger(maxIterations) || maxIterations < 1) throw new RangeError(`a body runs at least one iteration, not ${maxIterations}`);
    this.#section = 'body';
    this.#maxIterations = maxIterations;
  }

  /** From here on operators belong to the epilogue. @throws Error out of order. */
  beginEpilogue(): void {
    if (this.#section !== 'body') throw new Error('an epilogue stands behind a body');
    this.#section = 'epilogue';
  }

  /**
   * Names the output of a body operator that is appended later, for operators that read its earlier iterations (and for itself): `append` it with `as`.
   * @throws Error outside the body
   */
  forward(shape: TensorShape): ForwardTensor {
    if (this.#section !== 'body') throw new Error('only operators of the body are read before they are appended');
    const operand = { kind: 'body' as const, operator: -1 };
    this.#forward.add(operand);
    return { operand, shape };
  }

  /** Appends an operator. @throws TypeError when operands, parameters or the shape that was announced are not the kernel's. */
  append(name: string, { kernel, output, operands, parameters = {}, as }: Application): Tensor {
    if (operands.length !== kernel.operands.length) {
      throw new TypeError(`${name}: ${kernel.name} takes ${kernel.operands.length} operands, not ${operands.length}`);
    }
    kernel.operands.forEach((operand, index) => {
      const given = operands[index]?.shape.element;
      if (given !== operand.type) throw new TypeError(`${name}: operand ${operand.name} of ${kernel.name} is ${operand.type}, not ${given}`);
    });
    if (output.element !== kernel.output) throw new TypeError(`${name}: ${kernel.name} writes ${kernel.output}, not ${output.element}`);
    const expected = [...kernel.parameters].sort().join(', ');
    const given = Object.keys(parameters).sort().join(', ');
    if (given !== expected) throw new TypeError(`${name}: ${kernel.name} takes the parameters (${expected}), not (${given})`);
    const section = this.#sections[this.#section];
    const position = section.length;
    if (as !== undefined) this.#resolve(name, as, output, position);
    section.push({ name: shortened(name), kernel: this.#kernelIndex(kernel), parameters, output, operands: operands.map(({ operand }) => operand) });
    return { operand: { kind: this.#section, operator: position }, shape: output };
  }

  /** Whether a tensor is what was appended last, which is the result. */
  isLast({ operand }: Tensor): boolean {
    return operand.kind === this.#section && operand.operator === this.#sections[this.#section].length - 1;
  }

  /** Element type of the result so far. */
  get resultElement(): TensorShape['element'] | undefined {
    return this.#sections[this.#section].at(-1)?.output.element;
  }

  /** The finished model. @throws Error when it has no operator, or announced ones are missing. */
  build(): Model {
    const { prologue, body, epilogue } = this.#sections;
    if (prologue.length + body.length === 0) throw new Error(`${this.#description.name} has no operators, so it has no result`);
    if (this.#forward.size > 0) throw new Error(`${this.#description.name}: ${this.#forward.size} announced operators were never appended`);
    const program: Program = {
      ...this.#description,
      kernels: this.#kernels,
      constants: this.#shapes,
      prologue,
      body,
      epilogue,
      maxIterations: this.#maxIterations,
    };
    return { program, constants: this.#store.list() };
  }

  #resolve(name: string, { operand, shape }: ForwardTensor, output: TensorShape, position: number): void {
    if (!this.#forward.delete(operand)) throw new TypeError(`${name}: what it is appended as was not announced, or exists already`);
    if (shape.element !== output.element || shape.rows !== output.rows || shape.columns !== output.columns) {
      throw new TypeError(`${name}: announced as ${shape.rows} × ${shape.columns} ${shape.element}, appended as ${output.rows} × ${output.columns} ${output.element}`);
    }
    operand.operator = position;
  }

  #constant(shape: TensorShape, elements: Uint8Array): Tensor {
    this.#store.add(shape, packTensor(shape, elements));
    return { operand: { kind: 'constant', constant: this.#shapes.push(shape) - 1 }, shape };
  }

  #kernelIndex(kernel: Kernel): number {
    const index = this.#kernels.indexOf(kernel);
    return index >= 0 ? index : this.#kernels.push(kernel) - 1;
  }
}

/** Characters that a bundle's names may have. */
const LONGEST_NAME = 256;

/** A name that a bundle can have: TensorFlow Lite's names of fused operators list all that went into them. */
function shortened(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const characters = [...name];
  const kept = LONGEST_NAME / 4 - 1;
  return `${characters.slice(0, kept).join('')}…${characters.slice(-kept).join('')}`;
}
