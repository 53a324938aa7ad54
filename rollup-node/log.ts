import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import { harmless } from './harmless.ts';

/** Structured log: `log.info({ requestId }, 'request served')`. */
export type Logger = PinoLogger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level?: LogLevel;
  /** `json`: one object a line; `pretty`: for people; `auto` (default): pretty where `stream` is a terminal. */
  readonly format?: 'auto' | 'json' | 'pretty';
  /** Where lines go; standard error by default, so that standard output stays a command's answer. */
  readonly stream?: { write(line: string): unknown; readonly isTTY?: boolean };
}

/** A logger. Fields named like secrets are redacted, and bigints are written as decimal strings. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = options.stream ?? process.stderr;
  const format = options.format ?? 'auto';
  const pretty = format === 'pretty' || (format === 'auto' && stream.isTTY === true);
  const destination: DestinationStream = { write: (line) => void stream.write(pretty ? prettyLine(line) : line) };
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['privateKey', '*.privateKey', 'key', '*.key'], censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }), log: (fields) => writable(fields) as Record<string, unknown> },
    },
    destination,
  );
}

/** A logger that says nothing. */
export const silentLogger = (): Logger => pino({ level: 'silent' });

function writable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return value;
  if (Array.isArray(value)) return value.map(writable);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, writable(field)]));
  }
  return value;
}

const COLOURS: Readonly<Record<string, number>> = { trace: 90, debug: 36, info: 32, warn: 33, error: 31, fatal: 35 };

/** One JSON line as `time LEVEL component message name=value …`. */
export function prettyLine(line: string): string {
  const { level, time, msg, component, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const label = String(level);
  const clock = String(time).slice(11, 23);
  const paint = (code: number, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
  const parts = [paint(90, clock), paint(COLOURS[label] ?? 37, label.toUpperCase().padEnd(5))];
  if (component !== undefined) parts.push(paint(1, harmless(String(component))));
  if (msg !== undefined) parts.push(harmless(String(msg)));
  for (const [name, value] of Object.entries(fields)) {
    parts.push(paint(90, `${name}=${harmless(typeof value === 'string' ? value : JSON.stringify(value))}`));
  }
  const stack = (err as { stack?: unknown } | undefined)?.stack;
  return `${parts.join(' ')}\n${typeof stack === 'string' ? `${stack}\n` : ''}`;
}
