import type { SpecializedKernel } from '../language/specialized.ts';
import type { Operand, Operator, Section } from '../program/program.ts';
import { COLUMN_GRANULE } from './compile.ts';
import type { FunctionReference, ModuleBuilder } from './assembler.ts';
import type { OutputBuffer } from './memory-layout.ts';
import type { ThreadFunctions } from './threads.ts';

/** Work (see `workOf`) of an operator that is called piece by piece, so that others get a turn: a millisecond or so. */
const LARGE = 2 ** 22;
/** Work of one call at most. */
const CALL = 2 ** 23;
/** Work from which on an operator is divided between threads, if nobody says otherwise: some sixteen microseconds, against one for meeting at a barrier. */
export const DIVIDED_WORK = 2 ** 16;

/** How the output of an operator can be computed in parts: so many rows, or columns of all rows, of which a part has a multiple of `granule`. */
export interface Division { readonly axis: 'rows' | 'columns'; readonly units: number; readonly granule: number }

/** What a run does next: several small operators in one call of a function, or a large one piece by piece. */
export type Step =
  | { readonly kind: 'call'; readonly name: string; /** False where only the calling thread has something to do. */ readonly parallel: boolean }
  | { readonly kind: 'pieces'; readonly operator: number };

/** Threads that share a section's operators. */
export interface Together { readonly threads: number; readonly leastWork: number; readonly meeting: ThreadFunctions }

/** An operator as steps are planned from it. */
export interface PlannedOperator {
  readonly operator: Operator;
  readonly kernel: SpecializedKernel;
  readonly work: number;
  readonly function: FunctionReference;
  readonly output: OutputBuffer;
  /** In the order of the kernel's operands. */
  readonly addresses: readonly number[];
}

/** Divides an output along its longer side, counted in granules. */
export function divisionOf({ rows, columns }: { readonly rows: number; readonly columns: number }): Division {
  return columns / COLUMN_GRANULE > rows ? { axis: 'columns', units: columns, granule: COLUMN_GRANULE } : { axis: 'rows', units: rows, granule: 1 };
}

/** Plans a section, and adds the functions of its calls to the module: `(iteration: i32, thread: i32)`. Threads meet after each call, by themselves. */
export function addSteps(module: ModuleBuilder, section: Section, operators: readonly PlannedOperator[], together: Together | null): readonly Step[] {
  const steps: Step[] = [];
  for (let first = 0; first < operators.length;) {
    if (operators[first]!.work >= LARGE) {
      steps.push({ kind: 'pieces', operator: first });
      first += 1;
      continue;
    }
    let end = first;
    for (let work = 0; end < operators.length && operators[end]!.work < LARGE && work < CALL; end += 1) work += operators[end]!.work;
    const name = `${section} ${first}`;
    const parallel = together !== null && operators.slice(first, end).some((operator) => isWorthDividing(operator, together.leastWork));
    addCall(module, name, section, operators, first, end, parallel ? together : null);
    steps.push({ kind: 'call', name, parallel });
    first = end;
  }
  return steps;
}

/** True for an operator that threads should share: one that has parts, and at least so much work. */
export function isWorthDividing({ work, kernel }: Pick<PlannedOperator, 'work' | 'kernel'>, leastWork: number): boolean {
  const { units, granule } = divisionOf(kernel.output);
  return work >= leastWork && units >= 2 * granule;
}

function addCall(
  module: ModuleBuilder, name: string, section: Section, operators: readonly PlannedOperator[], first: number, end: number,
  together: Together | null,
): void {
  module.function({ export: name, parameters: ['i32', 'i32'] }, (code, [iteration, thread]) => {
    const [from, to] = [code.local('i32'), code.local('i32')];
    /** Operators whose tensors are complete only once all threads have met. */
    const unmet = { divided: new Set<number>(), ofFirstThread: new Set<number>() };
    const reads = (operands: readonly Operand[], written: ReadonlySet<number>): boolean =>
      operands.some((operand) => operand.kind === section && written.has((operand as { operator: number }).operator));
    for (let index = first; index < end; index += 1) {
      const planned = operators[index]!;
      const { operator: { operands }, kernel: { output: { rows, columns } }, output, addresses } = planned;
      const divided = together !== null && isWorthDividing(planned, together.leastWork);
      if (together !== null && (reads(operands, unmet.divided) || (divided && reads(operands, unmet.ofFirstThread)))) {
        code.call(together.meeting.barrier);
        unmet.divided.clear();
        unmet.ofFirstThread.clear();
      }
      const pushCall = (rowRange: () => void, columnRange: () => void): void => {
        code.get(iteration);
        rowRange();
        columnRange();
        code.i32(output.address);
        if (section === 'body' && output.stride > 0) code.get(iteration).i32(output.stride).op('i32.mul').op('i32.add');
        for (const address of addresses) code.i32(address);
        code.call(planned.function);
      };
      const whole = (units: number) => (): void => { code.i32(0).i32(units); };
      if (together === null) {
        pushCall(whole(rows), whole(columns));
      } else if (divided) {
        const { axis, units, granule } = divisionOf({ rows, columns });
        const share = shareOf(units, granule, together.threads);
        const limited = (push: () => void): void => { push(); code.i32(units); push(); code.i32(units).op('i32.lt_s').op('select'); };
        limited(() => { code.get(thread).i32(share).op('i32.mul'); });
        code.set(from);
        limited(() => { code.get(from).i32(share).op('i32.add'); });
        code.set(to);
        const part = (): void => { code.get(from).get(to); };
        pushCall(axis === 'rows' ? part : whole(rows), axis === 'columns' ? part : whole(columns));
        unmet.divided.add(index);
      } else {
        code.get(thread).op('i32.eqz').if(() => pushCall(whole(rows), whole(columns)));
        unmet.ofFirstThread.add(index);
      }
    }
  });
}

/** Units of each thread but the last ones, which get what is left. */
export const shareOf = (units: number, granule: number, threads: number): number => Math.ceil(units / threads / granule) * granule;
