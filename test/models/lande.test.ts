import lande from 'lande';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../../kernels/models/lande/text.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { readParagraphs } from './udhr.ts';
import type { Paragraph } from './udhr.ts';

/** Every so many of the paragraphs; bench/accuracy-lande.ts takes them all. */
const STRIDE = 20;

const first = (words: Uint8Array): string => new TextDecoder().decode(words.subarray(0, 3));

describe('lande', () => {
  let model: Model;
  let wasm: PreparedModel;
  let lifted: PreparedModel;
  let paragraphs: Paragraph[];

  beforeAll(async () => {
    const sources = await loadLandePackage();
    model = buildLande(sources);
    wasm = await createWasmExecutor().prepare(model);
    lifted = await createLiftedExecutor().prepare(model);
    paragraphs = (await readParagraphs(sources.langs)).filter((_, index) => index % STRIDE === 7);
  });

  test('gives the package\'s first answer, and the same bits on both executors', async () => {
    const differing: string[] = [];
    for (const { text } of paragraphs) {
      const normalized = truncateText(normalizeText(text));
      const input = encodeText(normalized);
      const { output } = await wasm.run(input);
      expect((await lifted.run(input)).output).toEqual(output);
      if (first(output) !== lande(normalized)[0]?.[0]) differing.push(text);
    }
    expect(paragraphs.length).toBeGreaterThan(140);
    expect(differing.length / paragraphs.length).toBeLessThanOrEqual(0.01);
  });

  test('has an answer for texts of no letters, of one, and of bytes that are no UTF-8', async () => {
    for (const text of ['', '1234', 'q', '是']) {
      const normalized = normalizeText(text);
      expect(first((await wasm.run(encodeText(normalized))).output), JSON.stringify(text)).toBe(lande(text)[0]?.[0]);
    }
    for (const fill of [0x00, 0x80, 0xc3, 0xff]) {
      const input = new Uint8Array(1024).fill(fill);
      const { output } = await wasm.run(input);
      expect((await lifted.run(input)).output).toEqual(output);
      expect(model.program.metadata['labels']).toContain(first(output));
    }
  });

  test('an answer differs between languages', async () => {
    const answers = new Set<string>();
    for (const text of ['What language is this sentence written in?', 'In welcher Sprache ist dieser Satz geschrieben?', 'На каком языке написано это предложение?']) {
      answers.add(first((await wasm.run(encodeText(normalizeText(text)))).output));
    }
    expect(answers).toEqual(new Set(['eng', 'deu', 'rus']));
  });
});
