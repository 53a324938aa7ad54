import type { Role } from '../../fraud-proof/dispute/player.ts';
import type { AgentContext } from '../agent/duty.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { roleOf } from './turn.ts';

/** The disputes that the node is a party to and that are not over and done with. */
export async function ownOpenDisputes({ store, self }: Pick<AgentContext, 'store' | 'self'>): Promise<{ readonly dispute: DisputeRecord; readonly role: Role }[]> {
  const open = await store.list('openDisputes');
  const disputes = await Promise.all(open.map(({ key }) => store.get('disputes', key)));
  return disputes.flatMap((dispute) => {
    const role = dispute === undefined ? null : roleOf(dispute, self);
    return dispute === undefined || role === null ? [] : [{ dispute, role }];
  });
}
