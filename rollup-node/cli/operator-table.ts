import { bodyStepsFormula } from '../../deterministic-runtime/program/steps.ts';
import type { EncodedModel, EncodedOperator } from '../../deterministic-runtime/program/encoding.ts';
import { byteLength } from '../../deterministic-runtime/program/tensor.ts';
import type { ImportReport } from '../../kernels/import/report.ts';

/** One operator of a program, for people and scripts. */
export interface OperatorRow {
  readonly name: string;
  readonly section: 'prologue' | 'body' | 'epilogue';
  readonly kernel: string;
  /** Of the constants that no operator before it reads. */
  readonly bytes: number;
  /** In all iterations together. */
  readonly steps: number;
  /** Error of its results beside the float network's on calibration data, as a share of the values' size; absent where there is nothing to compare with. */
  readonly error?: number;
}

/** Operator by operator, in the order in which they run. */
export function operatorRows({ model: { program }, operators }: EncodedModel, report?: ImportReport): OperatorRow[] {
  const counted = new Set<number>();
  return operators.map((encoded): OperatorRow => {
    const { operator, section, index } = encoded;
    const own = new Set(operator.operands.flatMap((operand) => (operand.kind === 'constant' && !counted.has(operand.constant) ? [operand.constant] : [])));
    own.forEach((constant) => counted.add(constant));
    const error = section === 'prologue' ? report?.operators[index]?.error?.relative : undefined;
    return {
      name: operator.name,
      section,
      kernel: program.kernels[operator.kernel]?.name ?? '',
      bytes: [...own].reduce((sum, constant) => sum + byteLength(program.constants[constant]!), 0),
      steps: Number(stepsOf(encoded, program.maxIterations)),
      ...(error === undefined ? {} : { error }),
    };
  });
}

const stepsOf = ({ section, steps }: EncodedOperator, maxIterations: number): bigint =>
  section === 'body' ? bodyStepsFormula([steps])(maxIterations) : steps.total(section === 'epilogue' ? maxIterations : 0);

/** Columns that hold words, and stand to the left. */
const WORDS = 3;

/** The rows as aligned lines, with a heading. Operators that only their layer's number tells apart share a line: how many they are, and their sums. */
export function formatOperators(rows: readonly OperatorRow[]): string {
  const cells = foldLayers(rows).map(({ name, section, kernel, bytes, steps, error, count }) => [
    shortened(section === 'prologue' ? name : `${section}: ${name}`), count === 1 ? '' : `× ${count}`, kernel, bytes.toLocaleString('en'), steps.toLocaleString('en'), error === undefined ? '' : `${(error * 100).toFixed(3)}%`,
  ]);
  const has = (column: number): boolean => cells.some((row) => row[column] !== '');
  const table = [['operator', '', 'kernel', 'bytes', 'steps', has(5) ? 'error' : ''], ...cells].map((row) => row.filter((_, column) => column !== 1 || has(1)));
  const words = has(1) ? WORDS : WORDS - 1;
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) => row.map((cell, column) => (column < words ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd()).join('\n');
}

/** Longest name in the table: TensorFlow Lite's names of fused operators list all that went into them. */
const LONGEST_NAME = 56;

function shortened(name: string): string {
  const kept = (LONGEST_NAME - 2) / 2;
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, kept)}…${name.slice(-kept)}`;
}

/** A layer's number in an operator's name, as language models have it. */
const LAYER = /^layer\.\d+\./;

interface FoldedRow extends OperatorRow { readonly count: number }

function foldLayers(rows: readonly OperatorRow[]): FoldedRow[] {
  const folded = new Map<string, FoldedRow>();
  rows.forEach((row, index) => {
    const name = row.name.replace(LAYER, 'layer.*.');
    const key = name === row.name ? String(index) : JSON.stringify([row.section, name, row.kernel]);
    const before = folded.get(key);
    if (before === undefined) folded.set(key, { ...row, count: 1 });
    else folded.set(key, { ...before, name, count: before.count + 1, bytes: before.bytes + row.bytes, steps: before.steps + row.steps });
  });
  return [...folded.values()];
}
