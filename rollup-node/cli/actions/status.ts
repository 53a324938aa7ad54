import { z } from 'zod';
import { ExitCode, UserError, reasonOf } from '../../errors.ts';
import type { StatusFlags } from '../commands/status.ts';
import { printAnswer } from '../output.ts';

const health = z.object({
  status: z.string(),
  problem: z.string().nullable(),
  problems: z.array(z.string()),
  head: z.object({ number: z.string(), timestamp: z.string() }).nullable(),
  tasks: z.number(),
  pendingTransactions: z.number(),
  models: z.array(z.string()),
  chainId: z.number(),
  account: z.string(),
  assertions: z.string(),
});

/** Milliseconds that a node may take to answer. */
const PATIENCE = 10_000;

/** Prints what a running node says of itself. @throws UserError when none answers, or it does not follow the chain */
export async function showNodeStatus({ apiUrl, json }: StatusFlags): Promise<void> {
  const base = apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`;
  if (!URL.canParse(base)) throw new UserError(`${apiUrl} is no URL`, { hint: 'e.g. http://127.0.0.1:8645' });
  const answer = await fetch(new URL('health', base), { signal: AbortSignal.timeout(PATIENCE) }).then((response) => response.json() as Promise<unknown>).catch((error: unknown) => {
    throw new UserError(`no node answers at ${apiUrl}: ${reasonOf(error)}`, { exitCode: ExitCode.chain, hint: 'is it running, and is this its --api-port?', cause: error });
  });
  const parsed = health.safeParse(answer);
  if (!parsed.success) throw new UserError(`what answers at ${apiUrl} is no node of this version`, { exitCode: ExitCode.chain, hint: 'name the HTTP API with --api-url' });
  const { status, problem, problems, head, ...rest } = parsed.data;
  await printAnswer({
    status,
    ...(problem === null ? {} : { problem }),
    problems: json === true ? problems : Object.fromEntries(problems.map((text, index) => [String(index + 1), text])),
    ...(head === null ? {} : { block: head.number, blockTime: new Date(Number(head.timestamp) * 1_000).toISOString() }),
    ...rest,
  }, json === true);
  if (status !== 'ok' && status !== 'degraded') throw new UserError(`the node does not follow the chain: ${problem ?? status}`, { exitCode: ExitCode.chain, hint: 'nothing is checked or sent until it does' });
}
