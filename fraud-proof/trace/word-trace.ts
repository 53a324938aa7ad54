import { placeOf } from '../../deterministic-runtime/program/program.ts';
import { lanesPerWord } from '../../deterministic-runtime/program/tensor.ts';
import { operandReaders } from '../machine/operands.ts';
import type { InferenceTensors } from '../machine/operands.ts';
import { prepareCode, runWord, WordRegisters } from '../machine/word-runner.ts';
import type { OperandReader, PreparedCode } from '../machine/word-runner.ts';
import type { RegisterFault } from './fault.ts';
import type { StepLocation } from './step-index.ts';

/** One word, computed again instruction by instruction. */
export class WordTrace {
  readonly registers = new WordRegisters();
  readonly #code: PreparedCode;
  readonly #operands: readonly OperandReader[];
  readonly #fault: RegisterFault | null;
  #step = 0;

  /** `location` names the word; `fault` counts only if it lies in it. */
  constructor(tensors: InferenceTensors, location: StepLocation, fault: RegisterFault | null) {
    const { slot, word, iteration, row, column, operator } = location;
    this.#code = prepareCode(operator.code);
    this.#operands = operandReaders(tensors, placeOf(tensors.model.program, slot));
    this.#fault = fault !== null && fault.slot === slot && fault.word === word ? fault : null;
    const lanesEach = lanesPerWord(operator.operator.output.element);
    this.registers.start({ iteration, row, column, lanes: operator.steps.lanes(word), lanesPerWord: lanesEach });
  }

  /** Goes to the state before step `step`, which must not lie before the last one asked for. */
  goTo(step: number): WordRegisters {
    if (this.#fault !== null && this.#step <= this.#fault.step && step >= this.#fault.step) {
      this.#run(this.#fault.step);
      tamper(this.registers, this.#fault);
    }
    this.#run(step);
    return this.registers;
  }

  /** Computes the rest of the word: what its STORE writes. */
  finish(): Uint8Array {
    if (this.#fault !== null && this.#step <= this.#fault.step) this.goTo(this.#fault.step);
    const { word } = runWord(this.#code, this.registers, this.#operands, Number.POSITIVE_INFINITY);
    if (word === null) throw new Error('the machine failed: the code is not admissible');
    return word;
  }

  #run(step: number): void {
    if (step < this.#step) throw new RangeError(`a word's trace goes forward only: ${step} lies before ${this.#step}`);
    const { steps, outcome } = runWord(this.#code, this.registers, this.#operands, step - this.#step);
    if (outcome !== 'paused') throw new RangeError(`the word has only ${this.#step + steps} steps, not ${step}`);
    this.#step = step;
  }
}

/** Puts the fault's value into its register. */
function tamper({ low, high, vectorBytes }: WordRegisters, fault: RegisterFault): void {
  if (fault.kind === 'vector') {
    vectorBytes.set(new Int8Array(fault.value.buffer, fault.value.byteOffset, fault.value.length), fault.register * fault.value.length);
    return;
  }
  low[fault.register] = Number(BigInt.asIntN(32, fault.value));
  high[fault.register] = Number(BigInt.asIntN(32, fault.value >> 32n));
}
