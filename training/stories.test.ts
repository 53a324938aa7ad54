import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import { LONGEST_STORY, drawStory, story } from './stories.ts';
import { END, drawNames, drawStretch } from './text.ts';
import { BOYS, GIRLS } from './words.ts';

const storiesOf = (seed: number, count: number): string[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => story(random));
};

describe('stories', () => {
  const stories = storiesOf(3, 2_000);

  test('are the same on all machines', () => {
    expect(stories.slice(0, 100)).toEqual(storiesOf(3, 100));
    expect(createHash('sha256').update(stories.join('\n')).digest('hex')).toBe('6117c9feaeca4a6f1681bcba185a905bd9852b69a902ee243e0e29352a9edef4');
  });

  test('differ, are short, and use few letters', () => {
    expect(new Set(stories).size).toBe(stories.length);
    for (const text of stories) {
      expect(text.length).toBeLessThanOrEqual(LONGEST_STORY);
      expect(text).toMatch(/^[A-Z][A-Za-z ,.!?"']+[.!"]$/);
      expect(text).not.toMatch(/undefined|  | a [aeiou]| an [^aeiou]|[.!?]"? [a-z](?!aid|sked)/);
    }
    expect(new Set(stories.flatMap((text) => text.match(/(?<![A-Za-z])[a-z]+/g) ?? [])).size).toBeLessThan(400);
  });

  test('name two characters at most, and nobody changes from he to she', () => {
    const random = new Random(4);
    for (let index = 0; index < 2_000; index += 1) {
      const { text, hero, friend } = drawStory(random);
      expect(text).toContain(hero.name);
      const others = [...GIRLS, ...BOYS].filter((name) => name !== hero.name && name !== friend.name);
      expect(others.filter((name) => new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
      if (hero.he === 'he' && friend.he === 'he') expect(text).not.toMatch(/\b(she|her)\b/i);
      if (hero.he === 'she' && friend.he === 'she') expect(text).not.toMatch(/\b(he|him|his)\b/i);
    }
  });
});

test('a stretch is a run of stories, each token followed by the next', () => {
  const random = new Random(9);
  const starts = new Set<number>();
  for (let index = 0; index < 20; index += 1) {
    const { inputs, targets } = drawStretch(random, 320);
    expect([...inputs.subarray(1)]).toEqual([...targets.subarray(0, 319)]);
    expect(inputs.indexOf(END, 1)).toBeGreaterThan(100);
    starts.add(Math.min(inputs[0]!, 1));
  }
  expect(starts).toEqual(new Set([0, 1]));
});

test('short stretches begin anywhere', () => {
  const random = new Random(9);
  const texts = Array.from({ length: 40 }, () => String.fromCharCode(...drawStretch(random, 64).inputs));
  expect(texts.filter((text) => /^\0?(Once|There|[A-Z][a-z]+ was|In |On |By |Near |Under |At |Beside )/.test(text)).length).toBeLessThan(20);
});

test('lists of names have two or three names over and over', () => {
  const random = new Random(10);
  for (let index = 0; index < 50; index += 1) {
    const { inputs, targets } = drawNames(random, 64);
    expect([...inputs.subarray(1)]).toEqual([...targets.subarray(0, 63)]);
    const names = String.fromCharCode(...inputs).split(' ').slice(0, -1);
    expect(new Set(names).size).toBeLessThanOrEqual(3);
    for (const name of names) expect(name).toMatch(/^[A-Z][a-z]{2,9}$/);
  }
});
