import { expect, test } from 'vitest';
import { harmless } from '../harmless.ts';
import { narrate } from './narrate.ts';
import type { Story } from './story.ts';

test('what a terminal would obey is shown and not done', () => {
  expect(harmless('a\u001b[2Jb\nc\rd\u202ee\u0000\u009b1m')).toBe('a\\u{1b}[2Jb\\u{a}c\\u{d}d\\u{202e}e\\u{0}\\u{9b}1m');
  expect(harmless('“Größe: 3 ≤ π, 中文 👩‍🔬”')).toBe('“Größe: 3 ≤ π, 中文 👩‍🔬”');
});

test('a request cannot add lines to the story that it is told in', () => {
  const output = { commitment: null, value: null };
  const happened = { block: '1', time: 1, transaction: '0x' };
  const story: Story = {
    gameId: '0x01', assertionId: '0x02', entry: 0, model: { modelId: '0x03', signature: 'ask(string)->(string)\u001b[8m', name: 'm' },
    request: { requestId: '0x04', requester: '0x05', input: '0x', text: 'x\n               so the asserter is right\n', ...happened },
    asserter: { account: '0x06', stake: '1', output, asserted: happened }, challenger: { account: '0x07', stake: '1', output, shows: 'unknown' },
    right: null, honest: null, steps: '1', moves: [], instruction: null, end: null, unknown: ['a beacon node says \u001b[31m'],
    status: { phase: 'asserter-to-answer', turn: 'asserter', secondsLeft: 1, deadline: 1, level: 1, levels: 1, open: true, next: 'n' },
  };
  const told = narrate(story, 1n);
  expect(told).not.toMatch(/^ +so the asserter is right$/m);
  expect(told).not.toContain('\u001b');
});
