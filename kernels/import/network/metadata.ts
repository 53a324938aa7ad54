/** What a program's metadata says of its input and output: how a model's own numbers map to the program's integers, outside what is proven. */

/** Element types of original models. */
export type OriginalType = 'float32' | 'int8' | 'uint8' | 'int16' | 'int32' | 'int64';

/** The input is text: its bytes, zero padded. */
export interface TextInput { readonly kind: 'text'; readonly encoding: 'utf-8'; readonly maximumBytes: number; readonly normalization: string }

/** A tensor of the original model, and the program's integers in its place. */
interface TensorValues {
  readonly kind: 'tensor';
  readonly name: string;
  /** Element type of the original model. */
  readonly type: OriginalType;
  readonly dims: readonly number[];
  /** How the program's elements are to be read. */
  readonly element: 'uint8' | 'int8' | 'int16' | 'int32';
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Numbers `x` that the program takes as `round(x / scale) + zeroPoint`, cut to the element's range; 16-bit elements travel as int32. */
export type TensorInput = TensorValues;

/** Several inputs, one after another in one tensor; all have the same element. */
export interface TensorsInput { readonly kind: 'tensors'; readonly parts: readonly TensorInput[] }

export interface TextOutput { readonly kind: 'text'; readonly encoding: 'utf-8' }

/** Integers `q` of the program stand for `scale · (q − zeroPoint)`. */
export interface TensorOutput extends TensorValues {
  /** What the original model does after that, which the program leaves to the reader. */
  readonly then?: 'softmax';
}

/** Several outputs, one after another in one tensor; all have the same element. */
export interface TensorsOutput { readonly kind: 'tensors'; readonly parts: readonly TensorOutput[] }

/** The output is the index of the greatest of the model's outputs. */
export interface ClassOutput { readonly kind: 'class'; readonly classes: number; readonly element: 'int32' }

export type InputMetadata = TextInput | TensorInput | TensorsInput;
export type OutputMetadata = TextOutput | TensorOutput | TensorsOutput | ClassOutput;
