import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { connect } from '../chain/client.ts';
import type { ChainClient } from '../chain/client.ts';
import { readContracts } from '../chain/contracts.ts';
import type { Contracts, RollupConstants } from '../chain/contracts.ts';
import { ChainMovedError, syncToHead } from '../chain/follower.ts';
import { rollupProjection } from '../chain/projection.ts';
import type { Config } from '../config.ts';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { DisputeRecord, ModelRecord, RequestRecord } from '../store/tables.ts';

/** Somewhere to read games from. */
export interface Games {
  /** The newest block that is known; its timestamp in seconds. */
  readonly head: { readonly number: bigint; readonly timestamp: bigint };
  /** Wei that a winning challenger gets, where it is known. */
  readonly bounty?: bigint;
  /** Whose node it is, if it is one's. */
  readonly account?: string;
  /** Newest first. */
  disputes(): Promise<readonly DisputeRecord[]>;
  request(requestId: Hex): Promise<Pick<RequestRecord, 'modelId'> | undefined>;
  model(modelId: Hex): Promise<Pick<ModelRecord, 'signature'> | undefined>;
  close(): Promise<void>;
}

/** Games as L1 alone shows them, with what they can be read further by. */
export interface ChainGames extends Games {
  readonly client: ChainClient;
  readonly contracts: Contracts & RollupConstants;
  readonly store: Pick<Store, 'get' | 'list'>;
}

/** Looks again after the chain changed under a look. */
const ATTEMPTS = 5;

/**
 * Reads a rollup's events from L1 into a temporary store, which `close` deletes.
 * @throws UserError when the endpoint does not answer, or there is no rollup
 */
export async function readGames(config: Pick<Config, 'rpcUrl' | 'chainId' | 'quorum' | 'maximumEndpointLag' | 'assertions' | 'startBlock' | 'logRange'>, signal?: AbortSignal): Promise<ChainGames> {
  const client = await connect({ rpcUrl: config.rpcUrl, chainId: config.chainId, quorum: config.quorum, maximumLag: config.maximumEndpointLag, retryCount: 2 });
  const contracts = await readContracts(client, config.assertions);
  const folder = await mkdtemp(join(tmpdir(), 'assay-games-'));
  const store = await openStore(folder);
  const close = async (): Promise<void> => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { registry, inbox, assertions, game } = contracts;
    const options = {
      client, store, addresses: [registry, inbox, assertions, game], startBlock: BigInt(config.startBlock), projection: rollupProjection(contracts),
      logRange: config.logRange, reorganizationDepth: 16, ...(signal === undefined ? {} : { signal }),
    };
    const { head } = await lookAgain(() => syncToHead(options), client);
    return {
      client, contracts, store, head, close,
      bounty: contracts.bounty,
      disputes: async () => {
        const order = await store.list('disputeOrder', { reverse: true });
        const disputes = await Promise.all(order.map(({ value }) => store.get('disputes', value)));
        return disputes.flatMap((dispute) => dispute ?? []);
      },
      request: (requestId) => store.get('requests', requestId),
      model: (modelId) => store.get('models', modelId),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function lookAgain<T>(look: () => Promise<T>, { chain }: ChainClient): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look();
    } catch (error) {
      if (error instanceof ChainMovedError && attempt < ATTEMPTS) continue;
      throw new UserError(`cannot read the rollup's events on ${chain.name}: ${reasonOf(error)}`, { exitCode: ExitCode.chain, hint: 'check --start-block and --log-range, or try another --rpc-url', cause: error });
    }
  }
}

/** The one dispute whose id starts with `prefix`. @throws UserError when there is none, or more than one */
export async function disputeNamed(games: Pick<Games, 'disputes'>, prefix: string): Promise<DisputeRecord> {
  const found = (await games.disputes()).filter(({ gameId }) => gameId.startsWith(prefix));
  if (found.length === 1) return found[0] as DisputeRecord;
  if (found.length === 0) throw new UserError(`there is no dispute ${prefix}`, { hint: 'assay disputes lists them; check --assertions and --start-block' });
  throw new UserError(`${found.length} disputes start with ${prefix}`, { hint: `give more digits: ${found.slice(0, 4).map(({ gameId }) => gameId.slice(0, 18)).join('…, ')}…` });
}
