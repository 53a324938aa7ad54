import { bytesToHex } from '@noble/hashes/utils.js';
import { harmless } from '../harmless.ts';
import { clearStatus } from './status.ts';

/**
 * Prints a command's answer: one line of JSON for machines, else aligned `name  value` lines for people, nested values as `outer.inner`; empty lists
 * are left out. Bigints become decimal strings.
 */
export async function printAnswer(answer: Readonly<Record<string, unknown>>, json: boolean): Promise<void> {
  clearStatus();
  if (json) return print(JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
  const lines = Object.entries(answer).flatMap(([name, value]) => flatten(name, value));
  const width = Math.max(...lines.map(([name]) => name.length));
  await print(lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n').split('\n').map(harmless).join('\n'));
}

/** Prints lines to standard output, and waits until they are written. @throws UserError-like system errors, e.g. of a full disk */
export const print = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
  });

function flatten(name: string, value: unknown): [string, string][] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    if (value.some((element) => typeof element === 'object')) return value.flatMap((element, index) => flatten(`${name}.${index}`, element));
    return value.length === 0 ? [] : [[name, value.map(String).join(', ')]];
  }
  if (typeof value !== 'object' || value === null) return [[name, plain(value)]];
  return Object.entries(value).flatMap(([inner, nested]) => flatten(`${name}.${inner}`, nested));
}

function plain(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 6 });
  return typeof value === 'bigint' ? value.toLocaleString('en') : String(value);
}

/** Bytes in hex, with 0x. */
export const hex = (bytes: Uint8Array): `0x${string}` => `0x${bytesToHex(bytes)}`;
