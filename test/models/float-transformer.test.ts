import { expect, test } from 'vitest';
import { loadFloatTransformer } from '../../kernels/language-model/float-transformer.ts';
import { modelFilesOrSkip } from './model-files.ts';
import { loadStories } from './stories.ts';

const folder = modelFilesOrSkip('stories260K');

test.skipIf(folder === null)('in floats, stories260K continues a text with the golden file\'s tokens', async () => {
  const stories = await loadStories(folder!);
  const step = (await loadFloatTransformer(stories.weights))();
  await stories.close();
  const tokens = [stories.beginToken];
  while (tokens.length < stories.golden.length) {
    const logits = step(tokens.at(-1)!);
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  expect(tokens).toEqual(stories.golden);
  expect(() => step(512)).toThrow(/512 is no token/);
});
