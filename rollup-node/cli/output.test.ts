import { afterEach, expect, test, vi } from 'vitest';
import { printAnswer } from './output.ts';

afterEach(() => vi.restoreAllMocks());

async function printed(answer: Readonly<Record<string, unknown>>, json: boolean): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, written: () => void) => {
    text += chunk;
    written();
    return true;
  }) as never);
  await printAnswer(answer, json);
  return text;
}

test("an answer's text, which a liar may have written, keeps its lines and moves no cursor", async () => {
  const output = 'Once upon\na time\u001b[1A\u001b[2K\u009b1m\u202e';
  expect(await printed({ output, list: ['\u0007'] }, false)).toBe('output  Once upon\na time\\u{1b}[1A\\u{1b}[2K\\u{9b}1m\\u{202e}\nlist    \\u{7}\n');
  expect(JSON.parse(await printed({ output }, true))).toEqual({ output });
});
