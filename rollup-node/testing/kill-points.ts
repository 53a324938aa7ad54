import { kindOf } from '../agent/tasks.ts';
import type { Probe } from '../chain/sender.ts';
import type { Change, Store } from '../store/store.ts';

/** Where a node can be killed: before and after each effect on the chain, and each write to the store. */
export interface KillPoints {
  readonly probe: Probe;
  wrap(store: Store): Store;
}

/** @param reached is called at every point with its name, e.g. `broadcast move`, `before write transactions`; what it throws, the node gets */
export function killPoints(reached: (point: string) => void): KillPoints {
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    reached(`before ${what}`);
    const result = await work();
    reached(`after ${what}`);
    return result;
  };
  return {
    probe: (point) => {
      const [moment = '', intent = ''] = point.split(' ', 2);
      reached(`${moment} ${kindOf(intent)}`);
    },
    wrap: (store) => ({
      ...store,
      write: (changes) => around(`write ${tablesOf(changes)}`, () => store.write(changes)),
      applyBlock: (block, changes, pruneBelow) => around(`block ${tablesOf(changes)}`, () => store.applyBlock(block, changes, pruneBelow)),
      rollback: (number) => around('rollback', () => store.rollback(number)),
    }),
  };
}

/** `disputes+openDisputes`; a block that changes nothing is `empty`. */
const tablesOf = (changes: readonly Change[]): string => [...new Set(changes.map(({ table }) => table))].sort().join('+') || 'empty';

/** Whole numbers from 1 to `most`, the same for the same seed (mulberry32). */
export function seededNumbers(seed: number): (most: number) => number {
  let state = seed >>> 0;
  return (most) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return 1 + (((mixed ^ (mixed >>> 14)) >>> 0) % most);
  };
}
