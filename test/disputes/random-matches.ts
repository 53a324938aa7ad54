import type { Address } from 'viem';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { openArena } from '../../rollup-node/match/arena.ts';
import { playMatch } from '../../rollup-node/match/match.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { MatchResult } from '../../rollup-node/match/match.ts';

/** A model, and inputs to dispute about: padded words, by number. */
export interface Contestant {
  readonly name: string;
  readonly model: Model;
  input(index: number): Uint8Array;
  /** Where lies may strike in the game of this number, by slots of the honest run; anywhere when absent. */
  strike?(game: number, honest: Trace): readonly number[] | undefined;
}

export interface PlayedMatch {
  readonly model: string;
  readonly liar: 'asserter' | 'challenger';
  readonly result: MatchResult;
  /** Receipt gas of the challenge and all moves; the assertion itself is the happy path's. */
  readonly gas: bigint;
}

/** Plays so many disputes on one chain, over all models and both liars in turn, each with a random fault. */
export async function playRandomMatches(contestants: readonly Contestant[], games: number, seed: number, onMatch: (match: PlayedMatch) => void): Promise<void> {
  const executor = createWasmExecutor();
  const arena = await openArena();
  try {
    const ready: (Contestant & { readonly prepared: PreparedModel; readonly contract: Address })[] = [];
    for (const contestant of contestants) {
      ready.push({ ...contestant, prepared: await executor.prepare(contestant.model), contract: await arena.register(encodeModel(contestant.model)) });
    }
    for (let game = 0; game < games; game += 1) {
      const { name, prepared, contract, input, strike } = ready[game % ready.length] as (typeof ready)[number];
      const round = Math.floor(game / ready.length);
      const liar = round % 2 === 0 ? 'asserter' : 'challenger';
      const result = await playMatch(arena, {
        prepared, contract, input: input(seed + game), liar, seed: BigInt(seed) * 1_000_003n + BigInt(game),
        strike: (honest) => strike?.(round >> 1, honest) ?? writtenSlots(honest),
      });
      const gas = result.moves.filter(({ kind }) => kind !== 'assert').reduce((sum, move) => sum + move.gas, 0n);
      onMatch({ model: name, liar, result, gas });
    }
  } finally {
    await arena.close();
  }
}

/** All slots that a run wrote, in order. */
const writtenSlots = (honest: Trace): number[] =>
  Array.from({ length: slotCount(honest.model.model.program) }, (_, slot) => slot).filter((slot) => honest.tensors.isWritten(slot));
