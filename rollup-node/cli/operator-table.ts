import { bodyStepsFormula } from '../../deterministic-runtime/program/steps.ts';
import type { EncodedModel, EncodedOperator } from '../../deterministic-runtime/program/encoding.ts';
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
export function operatorRows({ model: { program, constants }, operators }: EncodedModel, report?: ImportReport): OperatorRow[] {
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
      bytes: [...own].reduce((sum, constant) => sum + (constants[constant]?.length ?? 0), 0),
      steps: Number(stepsOf(encoded, program.maxIterations)),
      ...(error === undefined ? {} : { error }),
    };
  });
}

const stepsOf = ({ section, steps }: EncodedOperator, maxIterations: number): bigint =>
  section === 'body' ? bodyStepsFormula([steps])(maxIterations) : steps.total(section === 'epilogue' ? maxIterations : 0);

/** The rows as aligned lines, with a heading. */
export function formatOperators(rows: readonly OperatorRow[]): string {
  const cells = rows.map(({ name, section, kernel, bytes, steps, error }) => [
    section === 'prologue' ? name : `${section}: ${name}`, kernel, bytes.toLocaleString('en'), steps.toLocaleString('en'), error === undefined ? '' : `${(error * 100).toFixed(3)}%`,
  ]);
  const table = [['operator', 'kernel', 'bytes', 'steps', cells.some(([, , , , error]) => error !== '') ? 'error' : ''], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd()).join('\n');
}
