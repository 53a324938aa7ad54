import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

interface RawCase { readonly config: Readonly<Record<string, string>>; readonly arrays: Readonly<Record<string, { readonly type: string; readonly data: readonly number[] }>> }

/** A golden case of CMSIS-NN's unit tests: numbers and arrays by their names without the case's own. */
export class CmsisCase {
  readonly name: string;
  readonly #config: ReadonlyMap<string, number>;
  readonly #flags: ReadonlySet<string>;
  readonly #arrays: ReadonlyMap<string, { readonly type: string; readonly data: readonly number[] }>;

  constructor(name: string, { config, arrays }: RawCase) {
    this.name = name;
    this.#config = new Map(Object.entries(config).map(([key, value]) => [key.replace(`${name.toUpperCase()}_`, ''), Number(value)]));
    this.#flags = new Set(Object.entries(config).flatMap(([key, value]) => (value === 'true' ? [key.replace(`${name.toUpperCase()}_`, '')] : [])));
    this.#arrays = new Map(Object.entries(arrays).map(([key, value]) => [key.replace(`${name}_`, ''), value]));
  }

  /** A number of the configuration. @throws Error when it is missing and there is no fallback. */
  number(key: string, fallback?: number): number {
    const value = this.#config.get(key) ?? fallback;
    if (value === undefined || Number.isNaN(value)) throw new Error(`the case has no number ${key}`);
    return value;
  }

  /** The numbers and arrays of one layer of a whole network: those whose names begin so, and `more` numbers. */
  part(numbers: string, arrays: string, more: Readonly<Record<string, number>> = {}): CmsisCase {
    const own = <T>(all: ReadonlyMap<string, T>, prefix: string): [string, T][] => [...all].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]);
    return new CmsisCase(this.name, {
      config: Object.fromEntries([...own(this.#config, numbers), ...Object.entries(more)].map(([key, value]) => [key, String(value)])),
      arrays: Object.fromEntries(own(this.#arrays, arrays)),
    });
  }

  /** Names of the configuration's numbers. */
  get keys(): readonly string[] {
    return [...this.#config.keys()];
  }

  /** True where the configuration says `true`. */
  isTrue(key: string): boolean {
    return this.#flags.has(key);
  }

  has(key: string): boolean {
    return this.#config.has(key);
  }

  /** The first array of these names, or null. */
  array(...names: readonly string[]): readonly number[] | null {
    const found = names.find((name) => this.#arrays.has(name));
    return found === undefined ? null : (this.#arrays.get(found)?.data ?? null);
  }

  /** As `array`. @throws Error when there is none. */
  required(...names: readonly string[]): readonly number[] {
    const found = this.array(...names);
    if (found === null) throw new Error(`the case has no array ${names.join(' or ')}`);
    return found;
  }

  /** Element type of an array, `int8_t` and the like. */
  type(...names: readonly string[]): string {
    const found = names.find((name) => this.#arrays.has(name));
    return found === undefined ? '' : (this.#arrays.get(found)?.type ?? '');
  }
}

/** All cases of conformance/cmsis_nn_int_testdata.json.gz (docs/models-and-data.md), by name. */
export function readCmsisCases(file: string): readonly CmsisCase[] {
  const { cases } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as { readonly cases: Readonly<Record<string, RawCase>> };
  return Object.entries(cases).map(([name, raw]) => new CmsisCase(name, raw));
}
