import { ImportError } from '../import-error.ts';

/** A JSON object whose members are not known yet. */
export type JsonObject = { readonly [member: string]: unknown };

/** An object. @throws ImportError when it is none. */
export function object(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ImportError(`${what} is not an object in the model's JSON`);
  return value as JsonObject;
}

/** A list. @throws ImportError when it is none. */
export function array(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ImportError(`${what} is not a list in the model's JSON`);
  return value;
}

/** A string. @throws ImportError when it is none. */
export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new ImportError(`${what} is not a string in the model's JSON`);
  return value;
}

/** A finite number. @throws ImportError when it is none. */
export function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ImportError(`${what} is not a number in the model's JSON`);
  return value;
}

/** Integers of 0 and more. @throws ImportError when one is none, or there are not `count`. */
export function integers(value: unknown, count: number, what: string): readonly number[] {
  const list = array(value, what);
  if (list.length !== count || !list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0 && (item as number) <= 2 ** 20)) throw new ImportError(`${what} is not a list of ${count} integers`);
  return list as readonly number[];
}

/** What `read` makes of a value, null where there is none. */
export const optional = <T>(value: unknown, read: (value: unknown) => T): T | null => (value === undefined || value === null ? null : read(value));
