import { ImportError } from '../import-error.ts';
import type { OnnxNode } from './graph.ts';

/** How a node is named in messages. */
export const describe = (node: OnnxNode): string => `node ${node.name} (${node.operator})`;

/** An integer attribute. @throws ImportError when it is of another kind. */
export function integer(node: OnnxNode, name: string, otherwise: number): number {
  const value = node.attributes.get(name) ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new ImportError(`${describe(node)}: attribute ${name} is not an integer`);
  return value;
}

/** A number. @throws ImportError when it is of another kind or not finite. */
export function float(node: OnnxNode, name: string, otherwise: number): number {
  const value = node.attributes.get(name) ?? otherwise;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ImportError(`${describe(node)}: attribute ${name} is not a finite number`);
  return value;
}

/** A string. @throws ImportError when it is of another kind. */
export function text(node: OnnxNode, name: string, otherwise: string): string {
  const value = node.attributes.get(name) ?? otherwise;
  if (typeof value !== 'string') throw new ImportError(`${describe(node)}: attribute ${name} is not a string`);
  return value;
}

/**
 * A list of integers between `least` and 2^20.
 *
 * @throws ImportError when it is of another kind, has another length, or a number outside that.
 */
export function integers(node: OnnxNode, name: string, otherwise: readonly number[], least = 0): readonly number[] {
  const value = node.attributes.get(name) ?? otherwise;
  if (!Array.isArray(value) || value.length !== otherwise.length || !value.every((item) => Number.isSafeInteger(item) && item >= least && item <= 2 ** 20)) {
    throw new ImportError(`${describe(node)}: attribute ${name} is not a list of ${otherwise.length} integers of ${least} and more`);
  }
  return value;
}
