import { clearStatus } from './status.ts';

let interrupted = false;

/** True once the user asked the command to end: what fails from then on is no news. */
export const isInterrupted = (): boolean => interrupted;

/**
 * Lets SIGINT and SIGTERM end the process properly: `close` first, then exit code 130 or 143. A second signal does not wait for `close`.
 * Development chains end with the process in any case.
 */
export function closeOnInterrupt(close: () => Promise<unknown>): void {
  const handle = (name: NodeJS.Signals): void => {
    const exit = (): never => process.exit(name === 'SIGINT' ? 130 : 143);
    if (interrupted) exit();
    interrupted = true;
    clearStatus();
    void close().then(exit, exit);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}
