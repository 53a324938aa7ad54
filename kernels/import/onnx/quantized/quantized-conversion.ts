import type { ProgramBuilder } from '../../../program-builder.ts';
import { ImportError } from '../../import-error.ts';
import type { Activation } from '../../network/activation.ts';
import { describe } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { ELEMENT, valueDims } from './value.ts';
import type { Constant, Fixed, Integers, Value } from './value.ts';

/** Scale and zero point as a node has them, the zero point moved to where the program holds the integers: 128 lower for unsigned ones. */
export interface ScaleAndZero { readonly scale: number; readonly zeroPoint: number; readonly unsigned: boolean }

/** How a float input becomes the program's integers. */
export interface InputQuantization extends ScaleAndZero { readonly name: string }

/** A quantised graph while it is turned into a program, node by node. */
export class QuantizedConversion {
  readonly builder: ProgramBuilder;
  readonly #values = new Map<string, Value>();
  #input: InputQuantization | null = null;

  constructor(builder: ProgramBuilder) {
    this.builder = builder;
  }

  /** Says what a name stands for. */
  define(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  /** Says what the node's first output stands for. */
  output(node: OnnxNode, value: Value): void {
    const [name = ''] = node.outputs;
    if (name === '') throw new ImportError(`${describe(node)} has no output`);
    this.define(name, value);
  }

  has(node: OnnxNode, index: number): boolean {
    return (node.inputs[index] ?? '') !== '';
  }

  value(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new ImportError(`the value ${name} is an output that this importer does not compute`);
    return value;
  }

  /** What a node's input stands for. @throws ImportError where it has none. */
  input(node: OnnxNode, index: number): Value {
    if (!this.has(node, index)) throw new ImportError(`${describe(node)} lacks its input ${index}`);
    return this.value(node.inputs[index] ?? '');
  }

  dims(node: OnnxNode, index: number): readonly number[] {
    return valueDims(this.input(node, index));
  }

  /** A constant that a node reads. @throws ImportError where the value is computed. */
  constant(node: OnnxNode, index: number, what: string): Constant {
    const value = this.input(node, index);
    if (value.kind !== 'constant') throw new ImportError(`${describe(node)}: its ${what} must be constant`);
    return value;
  }

  /** Integers that a node reads. */
  integers(node: OnnxNode, index: number): Integers {
    const value = this.input(node, index);
    if (value.kind !== 'integers') throw new ImportError(`${describe(node)}: its input ${node.inputs[index] ?? ''} must be 8-bit integers that are computed, not ${value.kind}`);
    return value;
  }

  /** A float value of a graph that quantises while it runs. */
  fixed(node: OnnxNode, index: number): Fixed {
    const value = this.input(node, index);
    if (value.kind !== 'fixed') throw new ImportError(`${describe(node)}: its input ${node.inputs[index] ?? ''} must be float that is computed, not ${value.kind}`);
    return value;
  }

  /** A dequantised value that a node reads. @throws ImportError for floats that are not quantised in between. */
  dequantized(node: OnnxNode, index: number): Activation {
    const value = this.input(node, index);
    if (value.kind !== 'dequantized') {
      throw new ImportError(`${describe(node)} reads ${node.inputs[index] ?? ''}, which is float and not dequantised from integers: quantise the model around this node, too`);
    }
    return value.activation;
  }

  /** One scale and zero point: inputs `index` and `index + 1` of a node. @throws ImportError on several of them, or scales that are not positive. */
  scaleAndZero(node: OnnxNode, index: number, defaultType: number = ELEMENT.uint8): ScaleAndZero {
    const { scales, zeroPoints, elementType } = this.scalesAndZeros(node, index, defaultType);
    const [scale = 1] = scales;
    const [zeroPoint = 0] = zeroPoints;
    if (scales.length !== 1 || zeroPoints.length !== 1) throw new ImportError(`${describe(node)}: activations have one scale and zero point here, not ${scales.length}`);
    const unsigned = elementType === ELEMENT.uint8;
    if (!unsigned && elementType !== ELEMENT.int8) throw new ImportError(`${describe(node)}: activations are int8 or uint8 here, not of element type ${elementType}`);
    return { scale, zeroPoint: zeroPoint - (unsigned ? 128 : 0), unsigned };
  }

  /** Scales and zero points as the file has them. */
  scalesAndZeros(node: OnnxNode, index: number, defaultType: number): { readonly scales: readonly number[]; readonly zeroPoints: readonly number[]; readonly elementType: number } {
    const scale = this.constant(node, index, 'scale');
    const zero = this.has(node, index + 1) ? this.constant(node, index + 1, 'zero point') : null;
    const scales = [...scale.tensor.data];
    if (scales.length === 0 || !scales.every((value) => value > 0)) throw new ImportError(`${describe(node)}: scales must be positive`);
    const zeroPoints = zero === null ? [0] : [...zero.tensor.data];
    if (zeroPoints.length !== 1 && zeroPoints.length !== scales.length) throw new ImportError(`${describe(node)}: ${zeroPoints.length} zero points for ${scales.length} scales`);
    return { scales, zeroPoints, elementType: zero?.elementType ?? defaultType };
  }

  /** Notes how a float input becomes integers. @throws ImportError when it was said otherwise before. */
  quantizeInput(input: InputQuantization): void {
    const before = this.#input;
    if (before !== null && (before.scale !== input.scale || before.zeroPoint !== input.zeroPoint || before.unsigned !== input.unsigned)) {
      throw new ImportError(`the model quantises its input ${input.name} in two ways; one is supported`);
    }
    this.#input = input;
  }

  get inputQuantization(): InputQuantization | null {
    return this.#input;
  }
}
