import { describe, expect, test } from 'vitest';
import type { Architecture } from '../kernels/language-model/architecture.ts';
import { initialParameters } from './parameters.ts';
import { Random } from './random.ts';
import { Transformer } from './transformer.ts';

const tiny: Architecture = {
  family: 'llama', vocabulary: 24, width: 16, hidden: 24, layers: 2, heads: 4, keyValueHeads: 2, headSize: 8, context: 40, normEpsilon: 1e-5,
  rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [0],
};
const positions = 40;

function prepared(): { readonly model: Transformer; readonly inputs: number[]; readonly targets: number[]; readonly random: Random } {
  const random = new Random(7);
  const model = new Transformer(tiny, positions);
  model.values.set(initialParameters(model.layout, random));
  for (const { rows, start, columns } of model.layout.all) if (rows === 1) for (let k = 0; k < columns; k += 1) model.values[start + k]! += 0.3 * random.normal();
  const inputs = Array.from({ length: positions }, () => random.below(tiny.vocabulary));
  const targets = inputs.map((_, position) => (position % 5 === 4 ? -1 : random.below(tiny.vocabulary)));
  return { model, inputs, targets, random };
}

describe('the trainer', () => {
  const { model, inputs, targets, random } = prepared();
  model.gradients.fill(0);
  model.loss(inputs, targets, 1);

  test.each(model.layout.all.map((parameter) => [JSON.stringify(parameter.name), parameter] as const))('the gradient of %s is that of finite differences', (_, { rows, columns, start }) => {
    const length = rows * columns;
    const before = model.values.slice();
    for (let trial = 0; trial < 3; trial += 1) {
      const direction = Float32Array.from({ length }, () => random.normal() / Math.sqrt(length));
      const along = (step: number): number => {
        direction.forEach((by, k) => { model.values[start + k] = before[start + k]! + step * by; });
        return model.loss(inputs, targets, 0);
      };
      const step = 0.02;
      const measured = (8 * (along(step) - along(-step)) - (along(2 * step) - along(-2 * step))) / (12 * step);
      model.values.set(before);
      const computed = direction.reduce((sum, by, k) => sum + by * model.gradients[start + k]!, 0);
      const size = Math.hypot(...model.gradients.subarray(start, start + length)) / Math.sqrt(length);
      expect(Math.abs(measured - computed)).toBeLessThan(0.01 * size + 2e-5);
      expect(size).toBeGreaterThan(1e-5);
    }
  });

  test('later tokens change nothing before them', () => {
    const changed = inputs.with(20, (inputs[20]! + 1) % tiny.vocabulary);
    expect(model.logits(changed, 20)).toEqual(model.logits(inputs, 20));
    expect(model.logits(changed, 21)).not.toEqual(model.logits(inputs, 21));
  });
});
