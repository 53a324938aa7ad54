import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { compileProgram } from '../../deterministic-runtime/program/compile.ts';
import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { quantizeInput } from './model-interface.ts';
import type { Activation } from './network/activation.ts';
import { activationValues } from './network/activation-values.ts';
import { evaluateNetwork, inputSize } from './network/evaluate.ts';
import type { Network } from './network/layer.ts';

/** How far a value of the integer program is from the float network's, on calibration data. */
export interface ValueError {
  /** Greatest and mean magnitude of the difference. */
  readonly maximum: number;
  readonly mean: number;
  /** Root mean square of the difference over that of the value. */
  readonly relative: number;
}

/** One operator of a program. */
export interface OperatorReport {
  readonly name: string;
  readonly kernel: string;
  /** Of the constants that no operator before it reads. */
  readonly bytes: number;
  readonly steps: bigint;
  /** Bits of its results: 8 or 32 (which hold 16 for activations). */
  readonly bits: 8 | 32;
  /** Null for operators whose results are no value of the float network. */
  readonly error: ValueError | null;
}

export interface ImportReport { readonly operators: readonly OperatorReport[]; readonly total: { readonly bytes: number; readonly steps: bigint }; /** Values that have sixteen bits because eight cost accuracy. */ readonly sixteenBits: readonly string[] }

/** What `reportImport` needs of an import: see `ImportedModel`. */
export interface Reported { readonly model: Model; readonly network: Network; readonly activations: readonly Activation[]; readonly precision?: { readonly precisions: ReadonlyMap<string, 8 | 16> } }

/** Inputs that errors are measured on, at most. */
const SAMPLES = 8;

/**
 * Operator by operator: constants' bytes, steps, and how far its results are from the float network's: the program is run on some of the calibration data (inputs one after another).
 *
 * @example const report = await reportImport(importOnnx(bytes, { calibration }), calibration, createWasmExecutor());
 */
export async function reportImport({ model, network, activations, precision }: Reported, calibration: Float32Array, executor: Pick<Executor, 'prepare'>): Promise<ImportReport> {
  const { program } = model;
  const errors = await measureErrors({ model, network, activations }, calibration, executor);
  const compiled = compileProgram(program);
  const counted = new Set<number>();
  const operators = program.prologue.map((operator, index): OperatorReport => {
    let bytes = 0;
    for (const operand of operator.operands) {
      if (operand.kind !== 'constant' || counted.has(operand.constant)) continue;
      counted.add(operand.constant);
      bytes += model.constants[operand.constant]?.length ?? 0;
    }
    return {
      name: operator.name,
      kernel: program.kernels[operator.kernel]?.name ?? '',
      bytes,
      steps: compiled[index]?.steps.total(0) ?? 0n,
      bits: operator.output.element === 'i8' ? 8 : 32,
      error: errors.get(index) ?? null,
    };
  });
  const total = { bytes: operators.reduce((sum, { bytes }) => sum + bytes, 0), steps: operators.reduce((sum, { steps }) => sum + steps, 0n) };
  const sixteenBits = [...(precision?.precisions ?? [])].filter(([, bits]) => bits === 16).map(([value]) => value);
  return { operators, total, sixteenBits };
}

/** The error of each value of the network that an operator of the prologue writes, by the operator's position. */
async function measureErrors({ model, network, activations }: Reported, calibration: Float32Array, executor: Pick<Executor, 'prepare'>): Promise<ReadonlyMap<number, ValueError>> {
  const size = inputSize(network);
  const count = Math.min(SAMPLES, Math.floor(calibration.length / size));
  const prepared = await executor.prepare(model);
  const sums = new Map<number, { maximum: number; total: number; squares: number; signal: number; elements: number }>();
  for (let index = 0; index < count; index += 1) {
    const at = Math.floor((index * Math.floor(calibration.length / size)) / count) * size;
    const input = calibration.subarray(at, at + size);
    const floats = evaluateNetwork(network, input);
    const run = await prepared.run(quantizeInput(model, input), { keep: 'all' });
    for (const activation of activations) {
      const { operand } = activation.tensor;
      const exact = floats.get(activation.name)?.data;
      if (operand.kind !== 'prologue' || exact === undefined) continue;
      const words = run.tensor(slotOf(model.program, 'prologue', operand.operator));
      if (words === undefined) continue;
      const own = activationValues(activation, words);
      const sum = sums.get(operand.operator) ?? { maximum: 0, total: 0, squares: 0, signal: 0, elements: 0 };
      for (let element = 0; element < exact.length; element += 1) {
        const difference = Math.abs((exact[element] as number) - (own[element] as number));
        sum.maximum = Math.max(sum.maximum, difference);
        sum.total += difference;
        sum.squares += difference ** 2;
        sum.signal += (exact[element] as number) ** 2;
      }
      sum.elements += exact.length;
      sums.set(operand.operator, sum);
    }
  }
  await prepared.dispose();
  return new Map([...sums].map(([operator, { maximum, total, squares, signal, elements }]) => [operator, { maximum, mean: total / elements, relative: signal > 0 ? Math.sqrt(squares / signal) : 0 }]));
}
