import type { Address } from 'viem';
import type { Carrier } from '../../fraud-proof/dispute/player.ts';
import type { BlobSource } from '../chain/blob-source.ts';
import type { ChainClient } from '../chain/client.ts';
import type { Contracts, RollupConstants } from '../chain/contracts.ts';
import type { Head } from '../chain/follower.ts';
import type { TransactionSender } from '../chain/sender.ts';
import type { Batches } from '../disputes/batch.ts';
import type { Inference } from '../inference/inference.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import type { Problems } from './problems.ts';
import type { Task } from './tasks.ts';

/** What every duty works with. */
export interface AgentContext {
  readonly client: ChainClient;
  readonly contracts: Contracts & RollupConstants;
  readonly store: Store;
  readonly sender: TransactionSender;
  /** Brings turns that are due at the same time into few transactions; each by itself when absent. */
  readonly batches?: Batches;
  readonly inference: Inference;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly problems: Problems;
  /** What the node's own claims travel in; calldata when absent. */
  readonly claims?: Carrier;
  /** Who is asked for blobs with others' claims, in this order. */
  readonly blobSources?: readonly BlobSource[];
  /** The node's own account. */
  readonly self: Address;
}

/** Looks at the store as it is at a block and says what there is to do. Keeps no state that a restart would lose. */
export type Duty = (context: AgentContext, head: Head) => Promise<readonly Task[]>;
