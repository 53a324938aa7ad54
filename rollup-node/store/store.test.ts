import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Level } from 'level';
import { describe, expect, test, vi } from 'vitest';
import { exitCodeOf, ExitCode } from '../errors.ts';
import { decodeRecord, encodeRecord } from './codec.ts';
import { numberKey, openStore, openStoreOn } from './store.ts';
import type { Change, Store } from './store.ts';
import type { ChainTable } from './tables.ts';

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'assay-store-'));
const hash = (text: string): `0x${string}` => `0x${Buffer.from(text).toString('hex').padStart(64, '0')}`;
const counter = (key: string, value: number): Change<ChainTable> => ({ table: 'counters', key, value });
const counters = async (store: Store): Promise<Record<string, number>> => Object.fromEntries((await store.list('counters')).map(({ key, value }) => [key, value]));

test('records keep bigints and bytes', () => {
  const record = fc.dictionary(fc.string().filter((name) => !name.startsWith('$') && name !== '__proto__'), fc.oneof(fc.bigInt(), fc.uint8Array(), fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.bigInt())));
  fc.assert(fc.property(record, (value) => { expect(decodeRecord(encodeRecord(value))).toEqual({ ...value }); }), { seed: 7 });
});

test('number keys sort like numbers', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (a, b) => (numberKey(a) < numberKey(b)) === (a < b)), { seed: 7 });
});

describe('store', () => {
  test('what was written is there after a restart; listings page both ways', async () => {
    const location = await folder();
    const store = await openStore(location);
    await store.write([1, 2, 10, 30].map((number) => counter(numberKey(number), number)));
    await store.close();
    const again = await openStore(location);
    const keys = async (options: Parameters<Store['list']>[1]): Promise<number[]> => (await again.list('counters', options)).map(({ key }) => Number(key));
    expect(await keys({})).toEqual([1, 2, 10, 30]);
    expect(await keys({ limit: 2, after: numberKey(1n) })).toEqual([2, 10]);
    expect(await keys({ limit: 2, after: numberKey(30n), reverse: true })).toEqual([10, 2]);
    expect(await keys({ prefix: '0000000000000000000' })).toEqual([1, 2]);
    await again.close();
  });

  test('rollback gives back exactly what was there', async () => {
    const step = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.nat(255), { nil: undefined }) }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), fc.nat(), async (steps, where) => {
        const location = await folder();
        const store = await openStore(location);
        const states: Record<string, number>[] = [];
        for (const [index, changes] of steps.entries()) {
          const block = { number: BigInt(index), hash: hash(`${index}`) };
          await store.applyBlock(block, changes.map(({ key, value }) => (value === undefined ? { table: 'counters', key, value } : counter(key, value))));
          states.push(await counters(store));
        }
        const target = where % steps.length;
        await store.rollback(BigInt(target));
        expect(await counters(store)).toEqual(states[target]);
        expect(await store.cursor()).toEqual({ number: BigInt(target), hash: hash(`${target}`) });
        await store.rollback(null);
        expect(await counters(store)).toEqual({});
        expect(await store.cursor()).toBeUndefined();
        await store.close();
        await rm(location, { recursive: true });
      }),
      { seed: 7, numRuns: 25 },
    );
  });
});

describe('what can go wrong', () => {
  const failure = async (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, (error: unknown) => error);

  test('two processes on one folder', async () => {
    const location = await folder();
    const store = await openStore(location);
    const error = await failure(openStore(location));
    expect(String(error)).toContain(`another process uses the store in ${location}`);
    expect(exitCodeOf(error)).toBe(ExitCode.storage);
    await store.close();
  });

  test('a damaged file', async () => {
    const location = await folder();
    await (await openStore(location)).close();
    for (const name of await readdir(location)) if (name.startsWith('MANIFEST')) await writeFile(join(location, name), 'rubbish');
    expect(String(await failure(openStore(location)))).toContain(`the store in ${location} is damaged`);
  });

  test('a damaged record', async () => {
    const location = await folder();
    const raw = new Level(location);
    await raw.sublevel('counters').put('a', '{"half');
    await raw.close();
    const store = await openStore(location);
    expect(String(await failure(store.get('counters', 'a')))).toContain('is damaged');
    await store.close();
  });

  test('a full disk: nothing half-written', async () => {
    const location = await folder();
    const database = new Level<string, string>(location);
    let full = false;
    const batch = database.batch.bind(database) as (...parameters: unknown[]) => Promise<void>;
    Object.assign(database, {
      batch: (...parameters: unknown[]) =>
        full ? Promise.reject(Object.assign(new Error('IO error: 000005.log: No space left on device'), { code: 'LEVEL_IO_ERROR' })) : batch(...parameters),
    });
    const store = await openStoreOn(database as never, location);
    full = true;
    const error = await failure(store.applyBlock({ number: 1n, hash: hash('1') }, [counter('a', 1), counter('b', 1)]));
    expect(String(error)).toContain(`the disk of ${location} is full`);
    expect(await counters(store)).toEqual({});
    expect(await store.cursor()).toBeUndefined();
    await store.close();
  });

  test('a folder that cannot be made, and a layout of another version', async () => {
    expect(String(await failure(openStore('/dev/null/assay')))).toContain('cannot create the data folder /dev/null/assay');
    const location = await folder();
    const store = await openStore(location);
    await store.write([{ table: 'meta', key: 'version', value: 99 }]);
    await store.close();
    expect(String(await failure(openStore(location)))).toContain('has layout 99');
  });
});
