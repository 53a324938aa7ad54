import { describe, expect, test } from 'vitest';
import { ExitCode, UserError, describeError, exitCodeOf } from './errors.ts';
import { createLogger } from './log.ts';

const written = (format: 'auto' | 'json' | 'pretty', isTTY: boolean, act: (log: ReturnType<typeof createLogger>) => void): string => {
  let text = '';
  act(createLogger({ format, stream: { isTTY, write: (line) => (text += line) } }));
  return text;
};

describe('createLogger', () => {
  test('one JSON object a line where nobody reads along; bigints as decimals; keys redacted', () => {
    const lines = written('auto', false, (log) => {
      log.child({ component: 'watcher' }).info({ gas: 2n ** 64n, nested: { ids: [1n] }, privateKey: 'secret' }, 'sent');
      log.debug('not shown');
    }).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'info', component: 'watcher', gas: '18446744073709551616', nested: { ids: ['1'] }, privateKey: '[redacted]', msg: 'sent' });
  });

  test('readable on a terminal', () => {
    const text = written('auto', true, (log) => log.child({ component: 'watcher' }).warn({ dispute: 3n }, 'lie found'));
    expect(text).toMatch(/WARN.*watcher.*lie found.*dispute=.*3/);
    expect(() => JSON.parse(text) as unknown).toThrow();
  });

  test("a stranger's text moves no cursor and makes no line of its own", () => {
    const text = written('pretty', true, (log) => log.warn({ reason: 'x\u001b[2J\ny', list: ['\u009b1m\u202e'] }, 'failed \u001b]0;title\u0007'));
    expect(text.trimEnd().replaceAll(/\u001b\[\d+m/g, '')).toMatch(/^[^\p{Cc}\u202e]*$/u);
    expect(text).toContain('x\\u{1b}[2J\\u{a}y');
  });
});

describe('errors', () => {
  test('one line, with what to do', () => {
    expect(describeError(new UserError('no such file', { hint: 'check the path' }))).toBe('no such file (check the path)');
    expect(describeError(new Error('first\nsecond'))).toBe('first');
    expect(describeError(Object.assign(new Error('long'), { shortMessage: 'HTTP request failed.' }))).toBe('HTTP request failed.');
    expect(describeError('text')).toBe('text');
  });

  test('exit codes', () => {
    expect(exitCodeOf(new UserError('x'))).toBe(ExitCode.usage);
    expect(exitCodeOf(new UserError('x', { exitCode: ExitCode.chain }))).toBe(ExitCode.chain);
    expect(exitCodeOf(new Error('x'))).toBe(ExitCode.failure);
  });
});
