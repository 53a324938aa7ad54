import type { Tensor } from '../../../program-builder.ts';
import type { Activation } from '../../network/activation.ts';
import type { FloatTensor } from '../../network/float-tensor.ts';
import type { Window } from '../../network/layer.ts';

/** ONNX's numbers for the element types that matter here (`TensorProto.DataType`). */
export const ELEMENT = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

/** Eight-bit integers inside the program. Unsigned ones are held 128 lower, so that all are signed bytes. */
export interface Integers {
  readonly kind: 'integers';
  readonly activation: Activation;
  readonly unsigned: boolean;
}

/** Numbers that the file gives, with the type that they have there. */
export interface Constant { readonly kind: 'constant'; readonly tensor: FloatTensor; readonly elementType: number }

/**
 * Integers of the file with scales: what `DequantizeLinear` makes of a constant, not yet multiplied. One scale and zero point, or one for each entry of `axis`.
 */
export interface QuantizedConstant {
  readonly kind: 'quantized-constant';
  readonly integers: FloatTensor;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

/** The model's input where the file has it as float: it becomes integers outside the program. */
export interface FloatInput { readonly kind: 'float-input'; readonly name: string; readonly dims: readonly number[] }

/** `scale · (q − zeroPoint)` for integers q of the program, which their activation carries. */
export interface Dequantized { readonly kind: 'dequantized'; readonly activation: Activation }

/** A convolution or matrix product of dequantised values, whose sum is one of integers; see `lowerProduct`. */
export interface Product {
  readonly kind: 'product';
  readonly name: string;
  readonly dims: readonly number[];
  readonly x: Activation;
  /** Weights minus their zero point, −255…255: [outputs][taps · inputs per group], the taps of one input after another. */
  readonly weights: Int16Array;
  /** A scale for each output channel; all the same number for one for all. */
  readonly scales: readonly number[];
  /** In the sum's units, `x's scale · scales[c]`. */
  readonly bias: readonly number[];
  readonly groups: number;
  /** Null for a matrix product, over x's last dimension. */
  readonly window: Window | null;
}

/** Sum, difference or product of two dequantised values. */
export interface Pair {
  readonly kind: 'pair';
  readonly name: string;
  readonly dims: readonly number[];
  readonly a: Activation;
  readonly b: Activation;
  readonly operator: PairOperator;
}
export type PairOperator = 'add' | 'subtract' | 'multiply';

/** Mean over a window. */
export interface Mean {
  readonly kind: 'mean';
  readonly name: string;
  readonly dims: readonly number[];
  readonly x: Activation;
  readonly window: Window;
  /** Taps outside the image count. */
  readonly countPadding: boolean;
}

/** Values one after another along an axis, each with a scale of its own. */
export interface Joined {
  readonly kind: 'joined';
  readonly name: string;
  readonly dims: readonly number[];
  readonly parts: readonly Activation[];
  readonly axis: number;
}

/** A softmax over the last axis, which the reader of the result computes: it can only be the model's output. */
export interface FinalSoftmax { readonly kind: 'softmax'; readonly x: Dequantized }

/** A function of each element of another value, in single precision. */
export interface Mapped {
  readonly kind: 'mapped';
  readonly name: string;
  readonly x: Real;
  readonly apply: (x: number) => number;
  /** Where the function only cuts: what to. */
  readonly range: { readonly low: number; readonly high: number } | null;
}

/** A value between `DequantizeLinear` and `QuantizeLinear`: floats in the file, known exactly as integers and scales. */
export type Real = Dequantized | Product | Pair | Mean | Joined | FinalSoftmax | Mapped | FloatInput | QuantizedConstant | Constant;

/**
 * A float value of a graph that quantises while it runs: fixed-point numbers in 32 bits, whose scale is known, with headroom. `samples` are the same in floats for the
 * calibration data, one input after another.
 */
export interface Fixed { readonly kind: 'fixed'; readonly activation: Activation; readonly samples: Float32Array }

/** What `DynamicQuantizeLinear` gives: bytes, and their range and zero point as the program finds them. */
export interface Dynamic { readonly kind: 'dynamic'; readonly of: Fixed; readonly bytes: Activation; readonly range: Tensor }
/** Its scale, times a constant of the file for each output or for all, or its zero point. */
export interface DynamicScale { readonly kind: 'dynamic-scale'; readonly dynamic: Dynamic; readonly factors: readonly number[] }
export interface DynamicZero { readonly kind: 'dynamic-zero'; readonly dynamic: Dynamic }
/** Sums of dynamic bytes times weights; the zero point's share is still in them. */
export interface DynamicSums {
  readonly kind: 'dynamic-sums';
  readonly dynamic: Dynamic;
  readonly sums: Activation;
  /** Weights, [outputs][inputs]. */
  readonly weights: Int16Array;
  readonly outputs: number;
}

/** Anything that a name in the graph may stand for. */
export type Value = Integers | Real | Fixed | Dynamic | DynamicScale | DynamicZero | DynamicSums;

/** Dimensions of a value. */
export function valueDims(value: Value): readonly number[] {
  switch (value.kind) {
    case 'integers':
    case 'dequantized':
    case 'fixed':
      return value.activation.dims;
    case 'constant':
      return value.tensor.dims;
    case 'dynamic':
      return value.bytes.dims;
    case 'dynamic-sums':
      return value.sums.dims;
    case 'dynamic-scale':
    case 'dynamic-zero':
      return [];
    case 'quantized-constant':
      return value.integers.dims;
    case 'mapped':
    case 'softmax':
      return valueDims(value.x);
    default:
      return value.dims;
  }
}
