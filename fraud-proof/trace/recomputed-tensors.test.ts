import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { carriedOperators, prologueReadLater } from '../../deterministic-runtime/program/carried.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { countingLoop, countingLoopInput, COUNTING_LOOP_OPERATORS } from '../../test/models/counting-loop.ts';
import { tokenLoop } from '../../test/models/token-loop.ts';
import { randomFault, randomWords } from '../dispute/random-fault.ts';
import { encodeState } from '../machine/state.ts';
import { wasmHasher } from './tensor-hasher.ts';
import { TraceCache } from './trace-cache.ts';
import { openTrace } from './trace.ts';
import type { Trace, TraceOptions } from './trace.ts';

/** The operator of the token loop's body that nothing reads. */
const STOP = 4;
const CACHES = [0, 2_000, 100_000_000];

/** What is compared of two traces: states and proofs at these shares of their steps, the result, the opening of the end. */
async function seen(trace: Trace, shares: readonly number[]): Promise<readonly unknown[]> {
  const steps = shares.map((share) => (BigInt(Math.floor(share * 1e9)) * (trace.finishedAfter + 2n)) / 1_000_000_000n);
  const proofs: string[] = [];
  for (const step of steps) proofs.push(await trace.proofAt(step));
  return [
    trace.finishedAfter, trace.tensors.iterations, Buffer.from(trace.output).toString('hex'), await trace.finalOpening(), await trace.stateAt(steps), proofs,
    trace.states(steps).map((state) => Buffer.from(encodeState(state)).toString('hex')),
    Array.from({ length: slotCount(trace.model.model.program) }, (_, slot) => {
      const words = trace.tensors.slot(slot);
      return [trace.tensors.isWritten(slot), words === undefined ? undefined : Buffer.from(words).toString('hex'), Buffer.from(trace.tensors.slotCommitment(slot)).toString('hex')];
    }),
  ];
}

/** Opens the same trace with all tensors kept, and with hardly any. */
async function both(options: TraceOptions, cacheBytes: number): Promise<{ readonly full: Trace; readonly lean: Trace }> {
  return { full: await openTrace({ ...options, keep: 'all' }), lean: await openTrace({ ...options, cache: new TraceCache(cacheBytes) }) };
}

const loopInput = (model: Model, salt: number): Uint8Array =>
  packTensor(model.program.input, new Uint8Array(40).map((_, index) => (index === 0 ? salt % 2 : index * salt)));

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

describe('a trace that computes tensors again', () => {
  test('is the trace that keeps them all, of random programs, honest and lying, whatever its cache', async () => {
    const kinds = { early: 0, faults: 0, bodies: 0, epilogues: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(4_000), fc.integer({ min: 1, max: 14 }), fc.boolean(), fc.constantFrom(...CACHES), fc.boolean(), shares, async (number, size, lies, cacheBytes, wasm, at) => {
        const { model, input, seed, made } = generateCase(number, size);
        const prepared = await (wasm ? createWasmExecutor() : createLiftedExecutor()).prepare(model);
        const { full, lean } = await both({ prepared, input, seed }, cacheBytes);
        expect(await seen(lean, at), made).toEqual(await seen(full, at));
        kinds.early += Number(full.tensors.iterations < model.program.maxIterations);
        kinds.bodies += Number(model.program.body.length > 0);
        kinds.epilogues += Number(model.program.epilogue.length > 0);
        if (lies) {
          const fault = randomFault(full, randomWords(BigInt(number)));
          kinds.faults += 1;
          const liars = await both({ prepared, input, seed, fault }, cacheBytes);
          expect(await seen(liars.lean, at), made).toEqual(await seen(liars.full, at));
        }
      }),
      { seed: 41, numRuns: 40 },
    );
    expect(Math.min(...Object.values(kinds)), JSON.stringify(kinds)).toBeGreaterThan(2);
  });

  test('is the trace that keeps them all, of loops that stop early or not, with a history', async () => {
    const loop = tokenLoop();
    const prepared = await createLiftedExecutor().prepare(loop);
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.nat(1_000), fc.constantFrom(...CACHES), shares, async (salt, lie, cacheBytes, at) => {
        const options = { prepared, input: loopInput(loop, salt), seed: new Uint8Array(32).fill(salt) };
        const honest = await both(options, cacheBytes);
        expect(await seen(honest.lean, at)).toEqual(await seen(honest.full, at));
        const fault = randomFault(honest.lean, randomWords(BigInt(lie)));
        const { full } = await both({ ...options, fault, honest: honest.full }, cacheBytes);
        const { lean } = await both({ ...options, fault, honest: honest.lean }, cacheBytes);
        expect(await seen(lean, at)).toEqual(await seen(full, at));
      }),
      { seed: 42, numRuns: 20 },
    );
  });

  test('keeps what other iterations read, and 64 bytes a slot', async () => {
    const model = countingLoop();
    const { operators } = encodeModel(model);
    expect(carriedOperators(operators)).toEqual(new Set([COUNTING_LOOP_OPERATORS.token]));
    expect(carriedOperators(encodeModel(tokenLoop()).operators)).toEqual(new Set([0, 1, 2, 3]));
    expect(prologueReadLater(encodeModel(tokenLoop()).operators)).toEqual(new Set([1]));
    const { full, lean } = await both({ prepared: await createLiftedExecutor().prepare(model), input: countingLoopInput(0) }, 0);
    // 40 tokens of two words, in the block that is allocated for them, the result, and 3 slots an iteration.
    const slots = 64 * (40 * 3 + 1);
    expect(lean.tensors.byteLength).toBe(40 * 64 + 64 + slots);
    expect(full.tensors.byteLength).toBe(40 * (64 + 96 + 32) + 64 + slots);
  });

  test('says so when the executor computed another tensor than the word machine', async () => {
    const model = tokenLoop();
    const prepared = await createLiftedExecutor().prepare(model);
    const slot = model.program.prologue.length + STOP;
    const wrong: typeof prepared = { ...prepared, model, dispose: async () => {}, run: (input, options) => prepared.run(input, { ...options, override: { slot, words: new Uint8Array(32).fill(1, 0, 4) } }) };
    const trace = await openTrace({ prepared: wrong, input: loopInput(model, 7) });
    const store = trace.startOf(slotCount(model.program) - 1, 0) - 1n;
    expect(trace.locate(store)?.slot).toBe(slot);
    expect(() => trace.prove(store)).toThrow('disagrees with the word machine');
  });

  test('hashes nothing when the commitments are known, and refuses those of another run', async () => {
    const model = tokenLoop();
    const options = { prepared: await createLiftedExecutor().prepare(model), input: loopInput(model, 7) };
    const first = await openTrace(options);
    const { commitments } = first.tensors;
    const again = await openTrace({ ...options, commitments, hasher: { ...wasmHasher, commit: () => { throw new Error('hashed'); } } });
    expect(await seen(again, [0.1, 0.5, 0.7, 1])).toEqual(await seen(first, [0.1, 0.5, 0.7, 1]));
    await expect(openTrace({ ...options, commitments: { ...commitments, iterations: commitments.iterations - 1 } })).rejects.toThrow("these are the slots' commitments after");
  });
});
