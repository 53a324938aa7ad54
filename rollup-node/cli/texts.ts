import { z } from 'zod';
import { UserError } from '../errors.ts';
import { readInputFile } from './files.ts';

const textSchema = z.union([z.string(), z.looseObject({ text: z.string() }).transform(({ text }) => text)]);

/**
 * The texts of a file, in their order: `.jsonl` has one of `{"text": …}` or a string a line, `.json` a list of such, and any other file is UTF-8 text whose texts a blank line parts.
 * @throws UserError when the file cannot be read, is of another form, or holds no text
 */
export async function readTexts(path: string): Promise<readonly string[]> {
  const whole = decodeText(path, await readInputFile(path));
  const texts = path.endsWith('.json') ? parseList(path, whole) : path.endsWith('.jsonl') ? parseLines(path, whole) : whole.split(/\r?\n(?:[ \t]*\r?\n)+/).map((text) => text.trim());
  const some = texts.filter((text) => text !== '');
  if (some.length === 0) throw new UserError(`${path} holds no text`);
  return some;
}

function parseLines(path: string, whole: string): string[] {
  return whole.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = textSchema.safeParse(parseJson(line));
    if (!parsed.success) throw new UserError(`line ${index + 1} of ${path} is no text`, { hint: 'each line is {"text": "…"} in JSON' });
    return [parsed.data];
  });
}

function parseList(path: string, whole: string): string[] {
  const parsed = z.array(textSchema).safeParse(parseJson(whole));
  if (!parsed.success) throw new UserError(`${path} is no list of texts`, { hint: 'it is ["…", …] or [{"text": "…"}, …] in JSON' });
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${path} is not UTF-8 text`, { hint: 'texts are parted by blank lines, or given as JSON lines with text in them', cause });
  }
}
