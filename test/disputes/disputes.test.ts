import { expect, test } from 'vitest';
import { modelFilesOrSkip } from '../models/model-files.ts';
import { landeContestant, mnistContestant, smallContestant, smallLanguageModelContestant } from './contestants.ts';
import { playRandomMatches } from './random-matches.ts';
import type { PlayedMatch } from './random-matches.ts';

test('the honest side wins every dispute on a chain, whoever lies and wherever', async () => {
  const folder = modelFilesOrSkip('disputes about the MNIST CNN');
  const contestants = [await landeContestant(), smallContestant(), await smallLanguageModelContestant(), ...(folder === null ? [] : [mnistContestant(folder)])];
  const matches: PlayedMatch[] = [];
  await playRandomMatches(contestants, 4 * contestants.length, 20261122, (match) => matches.push(match));
  expect(matches).toHaveLength(4 * contestants.length);
  for (const { liar, result } of matches) {
    expect(result.winner).toBe(result.honest);
    expect(result.winner).not.toBe(liar);
  }
  for (const { gas, result } of matches.filter(({ model }) => model === 'mnist')) {
    expect(result.levels).toBeLessThanOrEqual(6);
    expect(gas).toBeLessThanOrEqual(700_000n);
  }
});
