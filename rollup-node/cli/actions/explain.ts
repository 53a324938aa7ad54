import { hexToBytes } from 'viem';
import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import { openTrace } from '../../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../../fraud-proof/trace/trace.ts';
import { blobSourcesOf } from '../../chain/blob-source.ts';
import { UserError } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import type { ExecutorName } from '../../executors.ts';
import { disputeNamed, readGames } from '../../explain/games.ts';
import { narrate } from '../../explain/narrate.ts';
import { tellStory } from '../../explain/story.ts';
import { readTranscript } from '../../explain/transcript.ts';
import { inputWords } from '../../inference/models.ts';
import { createClosing } from '../../shutdown.ts';
import type { RequestRecord } from '../../store/tables.ts';
import { openBundle } from '../bundles.ts';
import type { ExplainFlags } from '../commands/explain.ts';
import { configOf } from '../configuration.ts';
import { openUntilInterrupted } from '../interrupt.ts';
import type { Open } from '../interrupt.ts';
import { hex, print, printAnswer } from '../output.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Prints the story of a dispute. @throws UserError */
export async function explainDispute(prefix: string, flags: ExplainFlags): Promise<void> {
  const { model: directory, executor, json } = flags;
  const config = await configOf(flags);
  const given = directory === undefined ? null : await openBundle(directory);
  const closing = createClosing();
  const open = openUntilInterrupted(closing);
  try {
    showStatus(`reading the rollup's events from ${config.rpcUrl.join(', ')}`);
    const games = await open(readGames(config), (opened) => opened.close());
    const transcript = await readTranscript(games, await disputeNamed(games, prefix), blobSourcesOf(games.client, config.beacon));
    const encoded = await modelOf(transcript.request, given, config.models);
    const trace = encoded === null ? null : await runAgain(encoded, transcript.request, executor, open);
    showStatus('comparing the claims');
    const { timestamp: time, number: block } = games.head;
    const story = await tellStory(transcript, { time, trace, bounty: games.contracts.bounty });
    if (json === true) return await printAnswer({ block, time, ...story }, true);
    clearStatus();
    await print(narrate(story, time));
  } finally {
    await closing.close();
  }
}

/** The request's model among the bundles; null if none of them is it. @throws UserError when the one that was named is another */
async function modelOf({ modelId }: RequestRecord, given: EncodedModel | null, directories: readonly string[]): Promise<EncodedModel | null> {
  if (given !== null) {
    if (hex(given.modelId) === modelId) return given;
    throw new UserError(`the bundle is model ${hex(given.modelId)}, and the dispute is about ${modelId}`, { hint: 'name the bundle of that model, or leave --model away' });
  }
  for (const directory of directories) {
    const encoded = await openBundle(directory);
    if (hex(encoded.modelId) === modelId) return encoded;
  }
  return null;
}

/** Runs the disputed inference, and commits to its inside. */
async function runAgain({ model }: EncodedModel, { input, seed }: RequestRecord, name: ExecutorName, open: Open): Promise<Trace> {
  const executor = await open(executorByName(name), (opened) => opened.dispose());
  showStatus(`running ${model.program.name} again on ${executor.name}`);
  const prepared = await open(executor.prepare(model), (opened) => opened.dispose());
  return openTrace({ prepared, input: inputWords(model.program.input, hexToBytes(input)), seed: hexToBytes(seed) });
}
