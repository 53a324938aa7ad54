import type { Adversary } from './adversary.ts';
import { BLOBS } from './blobs.ts';
import { CHANGING_STORIES } from './changing-stories.ts';
import { CLOCKS } from './clocks.ts';
import { COLLUSION } from './collusion.ts';
import { CONTRACT_ACCOUNTS } from './contract-accounts.ts';
import { ENCODINGS } from './encodings.ts';
import { ENTRY_TRICKS } from './entries.ts';
import { FRONT_RUNS } from './front-runs.ts';
import { LIES } from './lies.ts';
import { LISTS_ON_LISTS } from './lists-on-lists.ts';
import { OPENINGS } from './openings.ts';
import { REPLAYS } from './replays.ts';
import { SPAM } from './spam.ts';

/** All adversaries. */
export const ADVERSARIES: readonly Adversary[] = [
  ...LIES, ...CHANGING_STORIES, ...CLOCKS, ...FRONT_RUNS, ...REPLAYS, ...SPAM, ...OPENINGS, ...ENCODINGS, ...ENTRY_TRICKS, ...COLLUSION, ...LISTS_ON_LISTS, ...CONTRACT_ACCOUNTS, ...BLOBS,
];
