import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { specializeOperator } from '../deterministic-runtime/language/specialize.ts';
import { arbitraryCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import type { RandomCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { countWordSteps, parseStructure } from '../deterministic-runtime/lift/structure.ts';
import { LIMITS, placeOf, slotCount } from '../deterministic-runtime/program/program.ts';
import { WORD_BYTES, lanesPerWord, wordCount, wordsPerRow } from '../deterministic-runtime/program/tensor.ts';
import { compileWordCode } from '../deterministic-runtime/word-code/compile.ts';
import { operandReaders } from '../fraud-proof/machine/operands.ts';
import { WordRegisters, prepareCode, runWord } from '../fraud-proof/machine/word-runner.ts';

/** More for a long run by hand: ASSAY_FUZZ_RUNS=20000 npx vitest run test/word-code.test.ts */
const RUNS = Number(process.env['ASSAY_FUZZ_RUNS'] ?? 60);

/** Every word of every tensor: compiled code on the word machine, next to the kernel's own meaning. */
function compareWords({ model, input, seed, made }: RandomCase): void {
  const { program } = model;
  const expected = evaluateProgram(model, input, seed);
  for (let slot = 0; slot < slotCount(program); slot += 1) {
    const words = expected.tensor(slot);
    if (words === undefined) continue;
    const place = placeOf(program, slot);
    const { output } = place.operator;
    const code = compileWordCode(specializeOperator(program, place.section, place.index));
    const structure = parseStructure(code);
    const written = (other: number): Uint8Array | undefined => (other < slot ? expected.tensor(other) : undefined);
    const operands = operandReaders({ model, input, seed, slot: written }, place);
    const registers = new WordRegisters();
    for (let word = 0; word < wordCount(output); word += 1) {
      const all = lanesPerWord(output.element);
      const column = (word % wordsPerRow(output)) * all;
      const lanes = Math.min(all, output.columns - column);
      registers.start({ iteration: place.iteration, row: Math.floor(word / wordsPerRow(output)), column, lanes, lanesPerWord: all });
      const run = runWord(prepareCode(code), registers, operands, LIMITS.stepsPerWord);
      const where = `${made}: slot ${slot}, word ${word}`;
      expect(run.outcome, where).toBe('stored');
      expect(run.word, where).toEqual(words.slice(word * WORD_BYTES, (word + 1) * WORD_BYTES));
      expect(BigInt(run.steps), where).toBe(countWordSteps(structure, place.iteration, lanes));
    }
  }
}

test('word code computes what the kernel says, in as many steps as the formula says', () => {
  fc.assert(fc.property(arbitraryCase(), compareWords), { seed: 9, numRuns: RUNS });
}, 3_600_000);
