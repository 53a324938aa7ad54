import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { llama2cFile, TINY, tokenizerFile } from './language-model-files.ts';

const at = temporaryFolder();
let imported: Record<string, unknown>;
let table: string;

beforeAll(async () => {
  mkdirSync(at('model'));
  mkdirSync(at('bare'));
  for (const folder of ['model', 'bare']) writeFileSync(at(folder, 'tiny.bin'), await llama2cFile());
  writeFileSync(at('model/tokenizer.bin'), tokenizerFile());
  const [withTokenizer, bare] = await Promise.all([
    answer(['import', at('model/tiny.bin'), '--prompt-limit', '12', '--new-tokens', '20', '--out', at('tiny')]),
    assay(['import', at('bare/tiny.bin'), '--prompt-limit', '12', '--new-tokens', '20', '--out', at('ids')]),
  ]);
  imported = withTokenizer;
  table = bare.stdout;
});

describe('import of a language model', () => {
  test('says what the bundle takes, and how large each operator is', () => {
    expect(imported).toMatchObject({
      name: 'tiny', signature: 'generate(int32[])->(int32[])', iterations: 31, tokenizer: 'tokenizer.json',
      input: { kind: 'tokens', vocabulary: TINY.vocabulary, promptLimit: 12, newTokenLimit: 20, beginToken: 1, endTokens: [1, 2] }, output: { kind: 'tokens', maximum: 20 },
    });
    const rows = imported.report as { name: string; bytes: number; steps: number }[];
    expect(rows).toHaveLength(imported.operators as number);
    expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(imported.bytes);
    expect(existsSync(at('tiny/tokenizer.json'))).toBe(true);
  });

  test('people see the operators of all layers on one line, and that there is no tokenizer', () => {
    const value = table.split('\n').find((line) => line.includes('attention.scores'));
    expect(value).toMatch(/^body: layer\.\*\.attention\.scores +× 2 +attention-scores-16 +\d+ +[\d,]+$/);
    const rows = imported.report as { name: string; steps: number }[];
    const steps = rows.filter(({ name }) => name.endsWith('attention.scores')).reduce((sum, row) => sum + row.steps, 0);
    expect(value).toMatch(new RegExp(` ${steps.toLocaleString('en')}$`));
    expect(table).not.toMatch(/layer\.\d/);
    expect(table).toMatch(/^tokenizer +none$/m);
  });
});

describe.concurrent('a language model runs', () => {
  test('the answer is streamed, written, and given in JSON, the same on every executor; the seed decides', async () => {
    // A begin token, three bytes of SentencePiece's mark for a space, and the word.
    const settings = ['--prompt', 'Once', '--temperature', '3', '--max-tokens', '9', '--seed', '7'];
    const [people, lifted, other] = await Promise.all([
      assay(['run', at('tiny'), ...settings, '--executor', 'wasm', '--output', at('story.txt')]),
      answer(['run', at('tiny'), ...settings, '--executor', 'lifted']),
      answer(['run', at('tiny'), ...settings.slice(0, -1), '8', '--executor', 'wasm']),
    ]);
    expect(people.code, people.stderr).toBe(0);
    const [root] = /0x[0-9a-f]{64}$/.exec(people.stdout.split('\n').find((line) => line.startsWith('outputRoot')) ?? '') ?? [];
    expect(lifted).toMatchObject({ outputRoot: root, executor: 'lifted', promptTokens: 8 });
    expect(lifted.generatedTokens).toBeGreaterThan(0);
    expect(lifted.generatedTokens).toBeLessThanOrEqual(9);
    expect(people.stdout.startsWith(`${lifted.output as string}\n\n`)).toBe(true);
    expect(readFileSync(at('story.txt'), 'utf8')).toBe(lifted.output);
    expect(other.outputRoot).not.toBe(root);
  });

  test('a reader that goes away ends it without an error', async () => {
    const { code, stderr } = await assay(['run', at('tiny'), '--prompt', 'Once'], { onStart: (child) => child.stdout?.destroy() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('a language model beside its weights in floats', () => {
  const evaluate = (dataset: string, ...more: string[]): Promise<Record<string, unknown>> => answer(['evaluate', at('tiny'), '--against', at('model/tiny.bin'), '--dataset', at(dataset), ...more]);

  test('texts in each form of a file', async () => {
    writeFileSync(at('stories.txt'), 'Once\n\nA hen\r\n \r\nCat\n');
    writeFileSync(at('stories.jsonl'), '{"text":"Once"}\n\n{"text":"A hen","id":3}\n"Cat"\n');
    writeFileSync(at('stories.json'), '["Once", {"text":"A hen"}, "Cat"]');
    const [text, lines, list, first] = await Promise.all([evaluate('stories.txt'), evaluate('stories.jsonl'), evaluate('stories.json'), evaluate('stories.txt', '--limit', '1')]);
    // Behind a begin token, three bytes of SentencePiece's mark for a space, and the letters; A hen's own space is three bytes, too.
    expect(text).toMatchObject({ modelId: imported.modelId, samples: 3, tokens: 7 + 10 + 6, executor: expect.any(String) });
    expect(text.maxError).toBeGreaterThan(0);
    expect(text.maxError).toBeLessThan(0.1);
    expect(Math.abs((text.negativeLogLikelihood as number) - (text.floatNegativeLogLikelihood as number))).toBeLessThan(0.01);
    expect(lines).toEqual(text);
    expect(list).toEqual(text);
    expect(first).toMatchObject({ samples: 1, tokens: 7 });
  });

  test('for people, shares are percentages', async () => {
    const { stdout } = await assay(['evaluate', at('ids'), '--against', at('model/tiny.bin'), '--dataset', at('stories.txt')]);
    expect(stdout).toMatch(/^agreement +\d+\.\d\d%$/m);
  });
});

describe.concurrent('what does not fit a language model is refused in one line', () => {
  const run = (bundle: string, more: string[], reason: RegExp, exitCode = 2): Promise<void> => refusal(['run', at(bundle), ...more], exitCode, reason);
  test('a prompt that is too long', () => run('tiny', ['--prompt', 'twelve bytes'], /the prompt has 18 tokens and the model takes 12/));
  test('ids out of range', () => run('ids', ['--prompt', '[1, 259]'], /259 is no token of this model: they are 0 to 258/));
  test('a tokenizer that was changed', async () => {
    cpSync(at('tiny'), at('changed'), { recursive: true });
    writeFileSync(at('changed/tokenizer.json'), '{}');
    await run('changed', ['--prompt', 'Once'], /tokenizer\.json is not the file that the model's metadata describe/, 5);
  });
  test('evaluations without texts, or against another model', async () => {
    const against = ['evaluate', at('tiny'), '--against', at('model/tiny.bin'), '--dataset'];
    writeFileSync(at('empty.txt'), ' \n\n');
    writeFileSync(at('wrong.jsonl'), '{"text":"Once"}\n{"story":"upon"}\n');
    writeFileSync(at('binary.txt'), Uint8Array.of(0xff, 0xfe));
    writeFileSync(at('texts.txt'), 'Once');
    await Promise.all([
      refusal([...against, at('empty.txt')], 2, /empty\.txt holds no text/),
      refusal([...against, at('wrong.jsonl')], 2, /line 2 of .*wrong\.jsonl is no text/),
      refusal([...against, at('binary.txt')], 2, /binary\.txt is not UTF-8 text/),
      refusal([...against, at('texts.txt'), '--labels', at('texts.txt')], 2, /--labels mean nothing for a language model/),
      refusal(['evaluate', at('tiny'), '--against', at('texts.txt'), '--dataset', at('texts.txt')], 2, /cannot evaluate against .*texts\.txt is no language model/),
      refusal(['evaluate', at('tiny'), '--against', 'storyteller', '--dataset', at('texts.txt')], 2, /cannot be compared with storyteller: .*vocabulary/),
    ]);
  });
});
