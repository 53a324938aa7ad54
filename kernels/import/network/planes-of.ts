import { highPlane, lowPlane } from '../../planes.ts';
import type { Tensor } from '../../program-builder.ts';
import type { Activation } from './activation.ts';
import type { Lowering } from './lowering.ts';

const known = new WeakMap<Lowering, Map<string, readonly Tensor[]>>();

/** The bytes of a value, high plane first: one plane for eight bits, two for sixteen. A tensor is taken apart once. */
export function planesOf(lowering: Lowering, { name, tensor }: Pick<Activation, 'name' | 'tensor'>): readonly Tensor[] {
  if (tensor.shape.element === 'i8') return [tensor];
  const made = known.get(lowering) ?? new Map<string, readonly Tensor[]>();
  known.set(lowering, made);
  const key = JSON.stringify(tensor.operand);
  const planes = made.get(key) ?? ([['high', highPlane], ['low', lowPlane]] as const).map(([which, kernel]) =>
    lowering.builder.append(`${name}.${which}`, { kernel, output: { ...tensor.shape, element: 'i8' }, operands: [tensor] }));
  made.set(key, planes);
  return planes;
}
