import { ImportError } from '../import-error.ts';
import { describe, integer } from './attributes.ts';
import { convertConcat } from './convert-movement.ts';
import { convertUnsqueeze } from './convert-shape.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** Sequences have no place in a network: they are lists of names while it is put together. */
const SEQUENCES = new WeakMap<Conversion, Map<string, readonly string[]>>();
const MAXIMUM_LENGTH = 4096;

function sequences(conversion: Conversion): Map<string, readonly string[]> {
  const known = SEQUENCES.get(conversion) ?? new Map<string, readonly string[]>();
  SEQUENCES.set(conversion, known);
  return known;
}

function sequence(conversion: Conversion, node: OnnxNode): readonly string[] {
  const found = sequences(conversion).get(conversion.input(node, 0));
  if (found === undefined) throw new ImportError(`${describe(node)}: its input ${conversion.input(node, 0)} is no sequence`);
  return found;
}

function position(conversion: Conversion, node: OnnxNode, index: number, otherwise: number, length: number): number {
  const given = conversion.hasInput(node, index) ? (conversion.constantInput(node, index, 'position').data[0] ?? 0) : otherwise;
  const at = given < 0 ? given + length : given;
  if (!Number.isSafeInteger(at) || at < 0 || at > length) throw new ImportError(`${describe(node)}: position ${given} is outside of a sequence of ${length}`);
  return at;
}

export function convertSequenceEmpty(conversion: Conversion, node: OnnxNode): void {
  sequences(conversion).set(conversion.output(node), []);
}

export function convertSequenceConstruct(conversion: Conversion, node: OnnxNode): void {
  sequences(conversion).set(conversion.output(node), node.inputs.map((_, index) => conversion.input(node, index)));
}

export function convertSequenceInsert(conversion: Conversion, node: OnnxNode): void {
  const before = sequence(conversion, node);
  if (before.length >= MAXIMUM_LENGTH) throw new ImportError(`${describe(node)}: sequences have at most ${MAXIMUM_LENGTH} entries`);
  const at = position(conversion, node, 2, before.length, before.length);
  sequences(conversion).set(conversion.output(node), [...before.slice(0, at), conversion.input(node, 1), ...before.slice(at)]);
}

export function convertSequenceAt(conversion: Conversion, node: OnnxNode): void {
  const entries = sequence(conversion, node);
  const entry = entries[position(conversion, node, 1, 0, entries.length)];
  if (entry === undefined) throw new ImportError(`${describe(node)}: the sequence has ${entries.length} entries`);
  conversion.alias(conversion.output(node), entry);
}

/** ConcatFromSequence, along an axis of the entries or a new one. */
export function convertConcatFromSequence(conversion: Conversion, node: OnnxNode): void {
  const entries = sequence(conversion, node);
  const axis = integer(node, 'axis', 0);
  if (integer(node, 'new_axis', 0) === 0) {
    convertConcat(conversion, { ...node, inputs: entries });
    return;
  }
  const parts = entries.map((entry, index) => {
    const output = conversion.fresh(node, `entry${index}`);
    convertUnsqueeze(conversion, { ...node, inputs: [entry], outputs: [output], attributes: new Map([['axes', [axis]]]) });
    return output;
  });
  convertConcat(conversion, { ...node, inputs: parts });
}
