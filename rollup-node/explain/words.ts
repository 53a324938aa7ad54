import { formatEther } from 'viem';

/** An id for people: its first eight hex digits. */
export const shortId = (id: string): string => `${id.slice(0, 10)}…`;

/** An account for people. */
export const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

/** Wei in ether, with four digits behind the point. */
export const ether = (wei: bigint): string => `${Number(formatEther(wei)).toLocaleString('en', { maximumFractionDigits: 4 })} ETH`;

/** A number with its thousands set apart. */
export const count = (number: bigint | number): string => number.toLocaleString('en');

/** `1 step`, `5 steps`. */
export const counted = (number: bigint | number, noun: string): string => `${count(number)} ${noun}${BigInt(number) === 1n ? '' : 's'}`;

const DAY = 86_400n;

/** A moment in seconds of block time: the time of day if it is on the same day as `now`, else the date, too. */
export function moment(seconds: bigint, now: bigint): string {
  const [date, time] = new Date(Number(seconds) * 1_000).toISOString().split(/[T.]/) as [string, string];
  return `${seconds / DAY === now / DAY ? time : `${date} ${time}`} UTC`;
}
