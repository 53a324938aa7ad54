import type { Store } from '../store/store.ts';
import type { DisputeRecord } from '../store/tables.ts';

/** Second of block time at which the running turn's clock has run out; undefined once nobody has to move. */
export function turnEndsAt(dispute: Pick<DisputeRecord, 'phase' | 'turnStartedAt' | 'asserterRemaining' | 'challengerRemaining'>): bigint | undefined {
  switch (dispute.phase) {
    case 'asserter-to-answer':
    case 'asserter-to-move':
      return dispute.turnStartedAt + dispute.asserterRemaining;
    case 'challenger-to-move':
      return dispute.turnStartedAt + dispute.challengerRemaining;
    default:
      return undefined;
  }
}

/** Kinds of tasks and transactions that a game's clock waits for, and those that an assertion's window waits for. A batch of turns names the most urgent game. */
const TURNS: ReadonlySet<string> = new Set(['turn', 'answer', 'move', 'prove', 'batch']);
const CHECKS: ReadonlySet<string> = new Set(['check', 'challenge']);

/**
 * Second of block time by which a task (`turn:0x…`) or a transaction (`move:0x…:0x…`) has to be done; undefined when nothing is lost by waiting.
 * The name's second part is a game's or an assertion's id.
 */
export async function deadlineOf(store: Pick<Store, 'get'>, name: string): Promise<bigint | undefined> {
  const [kind = '', id = ''] = name.split(':', 2);
  if (TURNS.has(kind)) {
    const dispute = await store.get('disputes', id);
    return dispute === undefined ? undefined : turnEndsAt(dispute);
  }
  return CHECKS.has(kind) ? (await store.get('assertions', id))?.challengeableUntil : undefined;
}

/** Named things, those that have to be done first at the head, in order among equals. */
export async function byDeadline<T>(store: Pick<Store, 'get'>, items: readonly T[], nameOf: (item: T) => string): Promise<T[]> {
  const dated = await Promise.all(items.map(async (item) => ({ item, deadline: await deadlineOf(store, nameOf(item)) })));
  const rank = (deadline: bigint | undefined): number => (deadline === undefined ? Infinity : Number(deadline));
  return dated.sort((a, b) => (rank(a.deadline) < rank(b.deadline) ? -1 : rank(a.deadline) > rank(b.deadline) ? 1 : 0)).map(({ item }) => item);
}
