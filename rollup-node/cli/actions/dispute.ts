import type { PreparedModel } from '../../../deterministic-runtime/executors/executor.ts';
import { placeOf } from '../../../deterministic-runtime/program/program.ts';
import { maskedWord, randomWords } from '../../../fraud-proof/dispute/random-fault.ts';
import type { WordFault } from '../../../fraud-proof/trace/fault.ts';
import { executorByName } from '../../executors.ts';
import { openArena } from '../../match/arena.ts';
import { explainStep } from '../../match/explain.ts';
import { slotOfPlace } from '../../match/fault-place.ts';
import { playMatch } from '../../match/match.ts';
import type { MatchResult, PlayedMove } from '../../match/match.ts';
import { readModelInput } from '../../model-values.ts';
import { createClosing } from '../../shutdown.ts';
import { openBundle } from '../bundles.ts';
import type { DisputeFlags } from '../commands/dispute.ts';
import { inputOf } from '../files.ts';
import { openUntilInterrupted } from '../interrupt.ts';
import { settingsOf } from '../options.ts';
import { hex, printAnswer } from '../output.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Plays a dispute, telling its moves on standard error. @throws UserError */
export async function playDispute(directory: string, flags: DisputeFlags): Promise<void> {
  const readInput = inputOf(flags);
  const settings = settingsOf(flags);
  const encoded = await openBundle(directory);
  const input = readModelInput(encoded.model, await readInput(), settings);
  const place = flags.fault === 'random' ? null : { slot: slotOfPlace(encoded, flags.fault), word: flags.fault.word };
  const closing = createClosing();
  const open = openUntilInterrupted(closing);
  try {
    const executor = await open(executorByName(flags.executor), (opened) => opened.dispose());
    showStatus(`compiling ${encoded.model.program.name} for ${executor.name}`);
    const prepared = await open(executor.prepare(encoded.model), (opened) => opened.dispose());
    const fault = place === null ? undefined : await wordFault(prepared, input, place, flags.seed);
    showStatus('starting a chain, and deploying the contracts');
    const arena = await open(openArena(), (opened) => opened.close());
    const contract = await arena.register(encoded);
    showStatus('looking for a lie, and playing the dispute');
    const result = await playMatch(arena, {
      prepared, contract, input,
      liar: flags.liar,
      seed: BigInt(flags.seed),
      ...(fault === undefined ? {} : { fault }),
      ...(flags.json === true ? {} : { onMove: printMove }),
    });
    await printAnswer({ ...answerOf(result), modelId: hex(encoded.modelId) }, flags.json === true);
  } finally {
    await closing.close();
  }
}

/** What the dispute cost from the challenge on: the assertion before it is posted in any case. */
function answerOf({ winner, honest, steps, levels, moves, seconds, trace, step }: MatchResult): Readonly<Record<string, unknown>> {
  const played = moves.filter(({ kind }) => kind !== 'assert');
  return {
    winner,
    honest,
    steps: Number(steps),
    levels,
    transactions: played.length,
    gas: {
      total: Number(played.reduce((sum, { gas }) => sum + gas, 0n)),
      perMove: played.filter(({ kind }) => kind !== 'prove').map(({ gas }) => Number(gas)),
      step: Number(played.find(({ kind }) => kind === 'prove')?.gas ?? 0n),
    },
    seconds: Math.round(seconds * 1_000) / 1_000,
    instruction: explainStep(trace, step),
  };
}

/** Another word than the honest one, at the STORE of a place. */
async function wordFault(prepared: PreparedModel, input: Uint8Array, { slot, word }: { readonly slot: number; readonly word: number }, seed: number): Promise<WordFault> {
  const { output } = placeOf(prepared.model.program, slot).operator;
  const honest = (await prepared.run(input, { keep: 'all' })).tensor(slot)?.subarray(word * 32, (word + 1) * 32);
  const next = randomWords(BigInt(seed));
  for (;;) {
    const value = maskedWord(output, word, next());
    if (value.some((byte, index) => byte !== honest?.[index])) return { kind: 'word', slot, word, value };
  }
}

function printMove({ kind, by, gas, bytes }: PlayedMove): void {
  clearStatus();
  console.error(`  ${by.padEnd(10)}  ${kind.padEnd(9)}  ${gas.toLocaleString('en').padStart(9)} gas  ${bytes.toLocaleString('en').padStart(6)} bytes`);
}
