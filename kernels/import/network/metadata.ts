/** What a program's metadata says of its input and output: how a model's own numbers map to the program's integers, outside what is proven. */

/** The input is text: its bytes, zero padded. */
export interface TextInput { readonly kind: 'text'; readonly encoding: 'utf-8'; readonly maximumBytes: number; readonly normalization: string }

/** Numbers `x` that the program takes as `round(x / scale) + zeroPoint`, cut to the element's range. */
export interface TensorInput {
  readonly kind: 'tensor';
  readonly name: string;
  /** Element type of the original model. */
  readonly type: 'float32';
  readonly dims: readonly number[];
  /** How the program's bytes are to be read. */
  readonly element: 'uint8' | 'int8';
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface TextOutput { readonly kind: 'text'; readonly encoding: 'utf-8' }

/** Integers `q` of the program stand for `scale · (q − zeroPoint)`. */
export interface TensorOutput {
  readonly kind: 'tensor';
  readonly name: string;
  readonly type: 'float32';
  readonly dims: readonly number[];
  readonly element: 'int8' | 'int32';
  readonly scale: number;
  readonly zeroPoint: number;
  /** What the original model does after that, which the program leaves to the reader. */
  readonly then?: 'softmax';
}

/** The output is the index of the greatest of the model's outputs. */
export interface ClassOutput { readonly kind: 'class'; readonly classes: number; readonly element: 'int32' }

export type InputMetadata = TextInput | TensorInput;
export type OutputMetadata = TextOutput | TensorOutput | ClassOutput;
