import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import type { DisputeRecord } from '../store/tables.ts';
import type { Games } from './games.ts';

/** Milliseconds that a node may take to answer. */
const PATIENCE = 10_000;
/** Disputes of one page of the answer: the most that a node gives. */
const PAGE = 200;

const hex = z.string().regex(/^0x[0-9a-f]*$/i).transform((text) => text as Hex);
const address = hex.transform((text) => text as Address);
const integer = z.string().regex(/^\d+$/).transform(BigInt);
const occurrence = { blockNumber: integer, timestamp: integer, transactionHash: hex };
const phase = z.enum(['asserter-to-answer', 'asserter-to-move', 'challenger-to-move', 'asserter-won', 'challenger-won']);

const dispute = z.object({
  gameId: hex, assertionId: hex, index: z.number(), requestId: hex, outputCommitment: hex, asserter: address, challenger: address, initialState: hex, binding: hex,
  steps: integer, allowance: integer, asserterStake: integer, challengerStake: integer,
  split: z.object({ start: integer, length: integer, first: hex, inner: z.array(hex), last: hex, blob: z.object({ versionedHash: hex, blockNumber: integer }).exactOptional() }),
  recordedPhase: phase, turnStartedAt: integer, asserterRemaining: integer, challengerRemaining: integer,
  moves: z.array(z.object({ ...occurrence, kind: z.enum(['challenge', 'answer', 'move', 'end']), by: z.enum(['asserter', 'challenger']), segment: z.number().exactOptional() })),
  ending: z.enum(['proof', 'concession', 'timeout']).exactOptional(),
  settled: z.boolean(), bounty: integer,
  paidOut: z.object({ to: address, paid: integer, burnt: integer }).exactOptional(),
}).transform(({ recordedPhase, ...record }): DisputeRecord => ({ ...record, phase: recordedPhase }));

const answers = {
  health: z.object({ head: z.object({ number: integer, timestamp: integer }).nullable(), account: z.string() }),
  disputes: z.object({ items: z.array(dispute), next: z.string().nullable() }),
  request: z.object({ modelId: hex }),
  model: z.object({ signature: z.string() }),
};

/** Games as a running node knows them. @throws UserError when no node answers there, or it follows no chain yet */
export async function gamesOfNode(apiUrl: string): Promise<Games> {
  const base = apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`;
  if (!URL.canParse(base)) throw new UserError(`${apiUrl} is no URL`, { hint: 'e.g. http://127.0.0.1:8645' });
  const ask = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T> | undefined> => {
    const unreachable = (error: unknown): never => {
      throw new UserError(`no node answers at ${apiUrl}: ${reasonOf(error)}`, { exitCode: ExitCode.chain, hint: 'is it running, and is this its --api-port?', cause: error });
    };
    const response = await fetch(new URL(path, base), { signal: AbortSignal.timeout(PATIENCE) }).catch(unreachable);
    if (response.status === 404 && path !== 'health') return undefined;
    const parsed = schema.safeParse(await response.json().catch(unreachable));
    if (!parsed.success) throw new UserError(`what answers at ${apiUrl} is no node of this version`, { exitCode: ExitCode.chain, hint: 'name the HTTP API with --api-url' });
    return parsed.data;
  };
  const { head, account } = (await ask('health', answers.health))!;
  if (head === null) throw new UserError(`the node at ${apiUrl} has not read the chain yet`, { exitCode: ExitCode.chain, hint: 'assay status says why' });
  return {
    head, account,
    disputes: async () => {
      const all: DisputeRecord[] = [];
      for (let before: string | null = ''; before !== null; ) {
        const page: z.output<typeof answers.disputes> | undefined = await ask(`disputes?limit=${PAGE}${before === '' ? '' : `&before=${encodeURIComponent(before)}`}`, answers.disputes);
        all.push(...(page?.items ?? []));
        before = page?.next ?? null;
      }
      return all;
    },
    request: (requestId) => ask(`requests/${requestId}`, answers.request),
    model: (modelId) => ask(`models/${modelId}`, answers.model),
    close: async () => undefined,
  };
}
