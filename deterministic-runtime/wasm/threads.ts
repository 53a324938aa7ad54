import type { FunctionReference, ModuleBuilder } from './assembler.ts';

/** Offsets of 32-bit numbers in the area that threads agree through. What different threads write is apart by cache lines. */
export const CONTROL = {
  /** Grows by one with every command. */
  command: 0,
  /** What to call: an index into the functions that workers know, or `STOP`. */
  function: 4,
  /** How many arguments the function takes. */
  argumentCount: 8,
  /** The arguments of each thread's call, `ARGUMENTS_BYTES` apart. */
  arguments: 192,
  /** Threads that have arrived at the barrier. */
  arrived: 64,
  /** Grows by one with every passage of the barrier. */
  passage: 128,
} as const;

/** Bytes between two threads' arguments. */
export const ARGUMENTS_BYTES = 64;
/** A command that ends a worker. */
export const STOP = -1;
/** Threads that a model runs on at most. */
export const MAX_THREADS = 12;

/** How often a thread looks again before it sleeps: some ten microseconds. */
const LOOKS = 8_000;

/** The functions through which threads meet. */
export interface ThreadFunctions {
  /** Returns once all threads have called it. Traps when they don't within the time limit: one of them died. */
  readonly barrier: FunctionReference;
}

/**
 * Adds the functions `barrier()` and, for workers, `await(last: i32) -> i32`, which returns the number of the next command after `last`; and for the thread
 * that gives commands, `post()`. The module's memory is shared.
 */
export function addThreadFunctions(module: ModuleBuilder, control: number, threads: number, secondsToDeath: number): ThreadFunctions {
  const barrier = module.function({ export: 'barrier' }, (code) => {
    const passage = code.local('i32');
    const looks = code.local('i32');
    code.i32(control).atomic('i32.atomic.load', CONTROL.passage).set(passage);
    code.i32(control).i32(1).atomic('i32.atomic.rmw.add', CONTROL.arrived).i32(threads - 1).op('i32.eq').if(() => {
      code.i32(control).i32(0).atomic('i32.atomic.store', CONTROL.arrived);
      code.i32(control).i32(1).atomic('i32.atomic.rmw.add', CONTROL.passage).op('drop');
      code.i32(control).i32(threads).atomic('memory.atomic.notify', CONTROL.passage).op('drop').op('return');
    });
    const unchanged = (): void => { code.i32(control).atomic('i32.atomic.load', CONTROL.passage).get(passage).op('i32.eq'); };
    code.i32(LOOKS).set(looks);
    code.loop((again) => {
      unchanged();
      code.op('i32.eqz').if(() => code.op('return'));
      code.get(looks).i32(1).op('i32.sub').tee(looks).branchIf(again);
    });
    code.loop((again) => {
      code.i32(control).get(passage).i64(BigInt(Math.round(secondsToDeath * 1e9))).atomic('memory.atomic.wait32', CONTROL.passage);
      code.i32(2).op('i32.eq').if(() => code.op('unreachable'));
      unchanged();
      code.branchIf(again);
    });
  });
  module.function({ export: 'await', parameters: ['i32'], results: ['i32'] }, (code, [last]) => {
    const looks = code.local('i32');
    const now = (): void => { code.i32(control).atomic('i32.atomic.load', CONTROL.command); };
    code.i32(LOOKS).set(looks);
    code.loop((again) => {
      now();
      code.get(last).op('i32.ne').if(() => {
        now();
        code.op('return');
      });
      code.get(looks).i32(1).op('i32.sub').tee(looks).branchIf(again);
    });
    code.loop((again) => {
      code.i32(control).get(last).i64(-1).atomic('memory.atomic.wait32', CONTROL.command).op('drop');
      now();
      code.get(last).op('i32.eq').branchIf(again);
    });
    now();
  });
  module.function({ export: 'post' }, (code) => {
    code.i32(control).i32(1).atomic('i32.atomic.rmw.add', CONTROL.command).op('drop');
    code.i32(control).i32(threads).atomic('memory.atomic.notify', CONTROL.command).op('drop');
  });
  return { barrier };
}
