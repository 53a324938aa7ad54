import { EQUIVALENT } from './equivalent.ts';
import type { Verdict } from './in-process.ts';

/** A mutant by its name, and what became of it. */
export interface Judged {
  readonly name: string;
  readonly verdict: Verdict;
}

const SURVIVED = 'SURVIVED';

const became = ({ name, verdict }: Judged): string => {
  if (verdict.verdict === 'killed') return verdict.by;
  if (verdict.verdict === 'does not compile') return verdict.verdict;
  return EQUIVALENT[name] === undefined ? SURVIVED : `equivalent: ${EQUIVALENT[name]}`;
};

/** All mutants of a source as JSON: by the piece of code that is changed, each change with the test that fails, or why none does. */
export function resultsOf(file: string, judged: readonly Judged[]): string {
  const places: Record<string, Record<string, string>> = {};
  for (const one of judged) {
    const [, place, change] = /^(.*): ('.*' → '.*)$/.exec(one.name.slice(file.length + 1)) as unknown as [string, string, string];
    (places[place] ??= {})[change] = became(one);
  }
  return `${JSON.stringify(places, null, 1)}\n`;
}

/** What `resultsOf` wrote, by the mutants' names; those that survived without a reason are left out, to be judged again. */
export function knownResults(file: string, text: string): ReadonlyMap<string, Verdict> {
  const places = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const verdictOf = (result: string): Verdict =>
    result === 'does not compile' ? { verdict: result } : result.startsWith('equivalent: ') ? { verdict: 'survived' } : { verdict: 'killed', by: result };
  return new Map(Object.entries(places).flatMap(([place, changes]) =>
    Object.entries(changes).filter(([, result]) => result !== SURVIVED).map(([change, result]) => [`${file} ${place}: ${change}`, verdictOf(result)] as const)));
}
