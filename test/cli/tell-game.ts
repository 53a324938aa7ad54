import type { Hex } from 'viem';
import { expect } from 'vitest';
import { beaconBlobs } from '../../rollup-node/chain/blob-source.ts';
import { loadConfig } from '../../rollup-node/config.ts';
import { readGames } from '../../rollup-node/explain/games.ts';
import { narrate } from '../../rollup-node/explain/narrate.ts';
import { storySchema, tellStory } from '../../rollup-node/explain/story.ts';
import type { Story } from '../../rollup-node/explain/story.ts';
import { readTranscript } from '../../rollup-node/explain/transcript.ts';
import type { ScriptedRollup } from './scripted-games.ts';

/** A game as `assay explain` tells it, as data and in words. */
export interface Told { readonly story: Story; readonly text: string }

/** Tells a game with the model's files and a beacon node at hand, or without. */
export async function tellGame(rollup: ScriptedRollup, gameId: Hex, { files = true, beacon = true }: { readonly files?: boolean; readonly beacon?: boolean } = {}): Promise<Told> {
  const games = await readGames(await loadConfig({ environment: rollup.environment }));
  try {
    const transcript = await readTranscript(games, (await games.store.get('disputes', gameId))!, beacon ? [beaconBlobs(rollup.devnet.url)] : []);
    const { timestamp: time } = games.head;
    const story = storySchema.parse(await tellStory(transcript, { time, trace: files ? await rollup.trace(gameId, 'challenger') : null, bounty: games.contracts.bounty }));
    const text = narrate(story, time);
    expect(text).not.toMatch(/undefined|null|NaN|\[object/);
    return { story, text };
  } finally {
    await games.close();
  }
}
