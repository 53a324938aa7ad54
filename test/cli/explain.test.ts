import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { storySchema } from '../../rollup-node/explain/story.ts';
import { image, model } from '../../rollup-node/testing/small-devnet.ts';
import { tinyModel } from '../../rollup-node/testing/tiny-model.ts';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { openDisputedRollup } from './disputed-rollup.ts';
import type { DisputedRollup } from './disputed-rollup.ts';

const at = temporaryFolder();
let rollup: DisputedRollup;

beforeAll(async () => {
  await writeBundleDirectory(at('tiny'), model);
  await writeBundleDirectory(at('other'), tinyModel(2));
  rollup = await openDisputedRollup();
}, 60_000);
afterAll(() => rollup?.devnet.stop());

/** What the model gives, computed here in plain arithmetic. */
function expectedClass(input: Uint8Array): number {
  const logits = Array.from({ length: 10 }, (_, row) => Array.from(input, (pixel, column) => ((((row * 64 + column) * 97 + 131) % 255) - 127) * (pixel - 128)).reduce((sum, product) => sum + product, row * 100));
  return logits.indexOf(Math.max(...logits));
}

async function story(...more: string[]) {
  const { block, time, ...rest } = await answer(['explain', rollup.gameId.slice(0, 12), ...more], { environment: rollup.environment });
  expect({ block, time }).toEqual({ block: expect.stringMatching(/^\d+$/), time: expect.stringMatching(/^\d+$/) });
  return storySchema.parse(rest);
}

describe('a game that waits for its asserter', () => {
  test('from the chain alone, and with the model', async () => {
    const [bare, full] = await Promise.all([story(), story('--model', at('tiny'))]);
    expect(bare).toMatchObject({
      gameId: rollup.gameId, right: null, honest: null, instruction: null, end: null, challenger: { shows: 'output', output: { value: null } }, unknown: [expect.stringContaining('--model')],
      status: { phase: 'asserter-to-answer', turn: 'asserter', level: 1, levels: 3, open: true, next: expect.stringMatching(/^the asserter has to answer with a stake of .* ETH by .* UTC, else the challenger wins/) },
    });
    expect(bare.moves).toMatchObject([{ kind: 'challenge', by: 'challenger', segment: null, start: '0', length: bare.steps, segments: 16, verdict: null }]);
    expect(full).toMatchObject({ honest: 'challenger', right: { value: expectedClass(image(3)), commitment: bare.challenger.output.commitment }, unknown: [] });
    expect(full.challenger.output).toEqual(full.right);
    expect(full.asserter.output.value).not.toBe(full.right?.value);
    expect(full.moves[0]?.verdict).toEqual({ claims: 16, wrong: [], firstWrong: null });
  });

  test('what cannot be explained', async () => {
    const { environment } = rollup;
    await Promise.all([
      refusal(['explain', rollup.gameId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))], 2, /there is no dispute 0x[0-9a-f]{64} \(assay disputes lists them/, { environment }),
      refusal(['explain', 'game'], 2, /Expected 0x and up to 64 hex digits/, { environment }),
      refusal(['explain', rollup.gameId, '--model', at('other')], 2, /the bundle is model 0x[0-9a-f]{64}, and the dispute is about 0x/, { environment }),
      refusal(['explain', rollup.gameId], 3, /cannot reach the chain/, { environment: { ...environment, ASSAY_RPC_URL: 'http://127.0.0.1:1' } }),
    ]);
  });
});

describe('a game that came to its end', () => {
  beforeAll(async () => { await rollup.playOn(); }, 60_000);

  test('each move, and the instruction with its values', async () => {
    const [bare, full] = await Promise.all([story(), story('--models', `${at('other')},${at('tiny')}`)]);
    expect(full).toMatchObject({ honest: 'challenger', end: { winner: 'challenger', settled: true, ending: expect.stringMatching(/^(proof|concession)$/) }, status: { turn: null, open: false, level: 3, levels: 3 }, unknown: [] });
    expect(full.moves.map(({ kind, by }) => `${by} ${kind}`)).toEqual(['challenger challenge', 'asserter answer', 'challenger move']);
    expect(full.moves.map(({ verdict }) => (verdict?.wrong.length ?? 0) > 0)).toEqual([false, true, false]);
    // Each split lies in the one before, and each of the liar's goes wrong somewhere.
    for (const [index, { start, length }] of full.moves.entries()) {
      const outer = full.moves[index - 1];
      if (outer === undefined) continue;
      expect(BigInt(start)).toBeGreaterThanOrEqual(BigInt(outer.start));
      expect(BigInt(start) + BigInt(length)).toBeLessThanOrEqual(BigInt(outer.start) + BigInt(outer.length));
    }
    // The chain's proof alone tells the same step, with numbers for names.
    for (const field of ['step', 'row', 'column', 'elements', 'pc', 'reads', 'result', 'claims', 'proven'] as const) expect(bare.instruction?.[field], field).toEqual(full.instruction?.[field]);
    expect(full.instruction?.operator).toMatch(/^(signed|logits|class)$/);
    expect(bare.instruction?.operator).toMatch(/^number \d of the prologue$/);
    const { claims } = full.instruction!;
    expect(claims.challenger ?? claims.right).toBe(claims.right);
    expect(claims.asserter).not.toBe(claims.right);
  });

  test('in words', async () => {
    const { code, stdout, stderr } = await assay(['explain', rollup.gameId, '--model', at('tiny')], { environment: rollup.environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of [
      /^dispute 0x[0-9a-f]{64}$/m, new RegExp(`^  right        ${expectedClass(image(3))} \\(commitment 0x`, 'm'), /^ +so the challenger is right$/m,
      /  the challenger challenges it, with a stake of .* ETH: claims the states within all [\d,]+ steps, in 16 segments$/m,
      /  the asserter answers, with a stake of .* ETH: disputes segment \d+, [\d,]+ steps? from step [\d,]+ on \((in|from) operator /m,
      /^    all 16 claims of the challenger are right$/m, /claims of the asserter are wrong, from step/, /^the instruction that it came down to: step [\d,]+ of [\d,]+$/m, /^  instruction  \d+:   \S/m,
      /: the challenger wins, and gets .* ETH; .* are burnt/, /next: nothing: the challenger has won (by|as) /,
    ]) expect(stdout).toMatch(line);
    expect(stdout).not.toMatch(/undefined|null|NaN|\[object/);
  });
});
