import { median, rounded } from '../measurement.ts';

/** Something whose speed is measured. `run` does one round of work and returns how many units (tokens, images) that were. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<number>;
  readonly dispose: () => Promise<void>;
}

/** What was seen of a contender: units a second, and units a second of processor time (of all threads together), which other programs disturb less. */
export interface Speed {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly byProcessor: number;
  /** Medians of the quotients of this one's speed and the peer's in the same round; absent where there is no peer, and for the peer itself. */
  readonly ratio?: number;
  readonly ratioByProcessor?: number;
}

interface Round { readonly speed: number; readonly byProcessor: number }

/**
 * Lets contenders work in turn, round by round, so that what else the machine does hits all of them alike. The first `warmUps` rounds do not count.
 * Ratios are to the contender named `peer`, round by round.
 */
export async function contest(contenders: readonly Contender[], rounds: number, warmUps: number, peer: string): Promise<Speed[]> {
  const seen = contenders.map(() => [] as Round[]);
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const [index, { run }] of contenders.entries()) {
      const processor = process.cpuUsage();
      const started = performance.now();
      const units = await run();
      const milliseconds = performance.now() - started;
      const { user, system } = process.cpuUsage(processor);
      if (round >= warmUps) seen[index]!.push({ speed: (units / milliseconds) * 1e3, byProcessor: (units / (user + system)) * 1e6 });
    }
  }
  const peers = seen[contenders.findIndex(({ name }) => name === peer)];
  return contenders.map(({ name }, index) => {
    const own = seen[index]!;
    const speeds = own.map(({ speed }) => speed);
    const summary = {
      name, median: rounded(median(speeds)), least: rounded(Math.min(...speeds)), greatest: rounded(Math.max(...speeds)),
      byProcessor: rounded(median(own.map(({ byProcessor }) => byProcessor))),
    };
    if (peers === undefined || name === peer) return summary;
    const ratio = (of: keyof Round): number => rounded(median(own.map((round, number) => round[of] / peers[number]![of])));
    return { ...summary, ratio: ratio('speed'), ratioByProcessor: ratio('byProcessor') };
  });
}
