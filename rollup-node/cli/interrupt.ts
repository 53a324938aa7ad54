import type { Closing } from '../shutdown.ts';
import { clearStatus } from './status.ts';

let interrupted = false;

/** True once the user asked the command to end: what fails from then on is no news. */
export const isInterrupted = (): boolean => interrupted;

/** Waits for something that is being opened, and has it closed in the end. */
export type Open = <T>(opening: Promise<T>, close: (opened: T) => Promise<unknown>) => Promise<T>;

/**
 * Lets SIGINT and SIGTERM end the process properly, with exit code 130 or 143: what was opened is closed first, and so is what is being
 * opened just then. A second signal waits for nothing. Development chains end with the process in any case.
 */
export function openUntilInterrupted(closing: Closing): Open {
  let latest: Promise<unknown> = Promise.resolve();
  const handle = (name: NodeJS.Signals): void => {
    const exit = (): never => process.exit(name === 'SIGINT' ? 130 : 143);
    if (interrupted) exit();
    interrupted = true;
    clearStatus();
    void latest.catch(() => undefined).then(() => closing.close()).then(exit, exit);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return (opening, close) => {
    const opened = opening.then((value) => {
      closing.add(() => close(value));
      return value;
    });
    latest = opened;
    return opened;
  };
}
