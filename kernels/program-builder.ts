import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Model, Operand, Operator, Program } from '../deterministic-runtime/program/program.ts';
import { packTensor } from '../deterministic-runtime/program/tensor.ts';
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
}

/** Puts together the program of a model that runs once: its operators are the prologue, in the order they are appended; the last gives the result. */
export class ProgramBuilder {
  readonly #description: ProgramDescription;
  readonly #kernels: Kernel[] = [];
  readonly #shapes: TensorShape[] = [];
  readonly #words: Uint8Array[] = [];
  readonly #operators: Operator[] = [];

  constructor(description: ProgramDescription) {
    this.#description = description;
  }

  /** The request's input. */
  get input(): Tensor {
    return { operand: { kind: 'input' }, shape: this.#description.input };
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

  /** Appends an operator. @throws TypeError when operands or parameters are not the kernel's. */
  append(name: string, { kernel, output, operands, parameters = {} }: Application): Tensor {
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
    this.#operators.push({ name, kernel: this.#kernelIndex(kernel), parameters, output, operands: operands.map(({ operand }) => operand) });
    return { operand: { kind: 'prologue', operator: this.#operators.length - 1 }, shape: output };
  }

  /** The finished model. @throws Error when it has no operator. */
  build(): Model {
    if (this.#operators.length === 0) throw new Error(`${this.#description.name} has no operators, so it has no result`);
    const program: Program = {
      ...this.#description,
      kernels: this.#kernels,
      constants: this.#shapes,
      prologue: this.#operators,
      body: [],
      epilogue: [],
      maxIterations: 0,
    };
    return { program, constants: this.#words };
  }

  #constant(shape: TensorShape, elements: Uint8Array): Tensor {
    this.#words.push(packTensor(shape, elements));
    return { operand: { kind: 'constant', constant: this.#shapes.push(shape) - 1 }, shape };
  }

  #kernelIndex(kernel: Kernel): number {
    const index = this.#kernels.indexOf(kernel);
    return index >= 0 ? index : this.#kernels.push(kernel) - 1;
  }
}
