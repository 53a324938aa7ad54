import { median, rounded } from '../measurement.ts';

/** Something whose speed is measured. `run` does one round of work and returns how many units (tokens, images) that were. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<number>;
  readonly dispose: () => Promise<void>;
}

/** What was seen of a contender: units a second. */
export interface Speed {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  /** Median of the quotients of this one's speed and the first peer's in the same round; absent where there is no peer, and for the peer itself. */
  readonly ratio?: number;
}

/**
 * Lets contenders work in turn, round by round, so that what else the machine does hits all of them alike. The first `warmUps` rounds do not count.
 * Ratios are to the contender named `peer`, round by round.
 */
export async function contest(contenders: readonly Contender[], rounds: number, warmUps: number, peer: string): Promise<Speed[]> {
  const speeds = contenders.map(() => [] as number[]);
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const [index, { run }] of contenders.entries()) {
      const started = performance.now();
      const units = await run();
      if (round >= warmUps) speeds[index]!.push((units / (performance.now() - started)) * 1000);
    }
  }
  const peers = speeds[contenders.findIndex(({ name }) => name === peer)];
  return contenders.map(({ name }, index) => {
    const seen = speeds[index]!;
    const summary = { name, median: rounded(median(seen)), least: rounded(Math.min(...seen)), greatest: rounded(Math.max(...seen)) };
    return peers === undefined || name === peer ? summary : { ...summary, ratio: rounded(median(seen.map((speed, round) => speed / peers[round]!))) };
  });
}
