import { loadAccount } from '../../config.ts';
import { readGames } from '../../explain/games.ts';
import type { Games } from '../../explain/games.ts';
import { gamesOfNode } from '../../explain/games-of-node.ts';
import { disputeTable, listDisputes } from '../../explain/list.ts';
import { createClosing } from '../../shutdown.ts';
import type { DisputesFlags } from '../commands/disputes.ts';
import { configOf } from '../configuration.ts';
import { openUntilInterrupted } from '../interrupt.ts';
import { print, printAnswer } from '../output.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Prints the disputes of a rollup. @throws UserError */
export async function showDisputes(flags: DisputesFlags): Promise<void> {
  const { apiUrl, open, mine, assertion, json } = flags;
  const closing = createClosing();
  try {
    const { games, account } = apiUrl === undefined ? await fromChain(flags, openUntilInterrupted(closing)) : await fromNode(apiUrl, flags);
    const disputes = await listDisputes(games, { ...(open === true ? { open } : {}), ...(mine === true ? { account } : {}), ...(assertion === undefined ? {} : { assertion }) });
    const { number: block, timestamp: time } = games.head;
    if (json === true) return await printAnswer({ block, time, disputes }, true);
    clearStatus();
    await print(disputes.length === 0 ? `no disputes as of block ${block}` : disputeTable(disputes));
  } finally {
    await closing.close();
  }
}

/** A source, and whose disputes `--mine` are. */
interface Source { readonly games: Games; readonly account: string }

async function fromChain(flags: DisputesFlags, open: ReturnType<typeof openUntilInterrupted>): Promise<Source> {
  const config = await configOf(flags);
  const account = flags.mine === true ? config.account ?? (await loadAccount(config)).address : '';
  showStatus(`reading the rollup's events from ${config.rpcUrl.join(', ')}`);
  return { games: await open(readGames(config), (games) => games.close()), account };
}

async function fromNode(apiUrl: string, { account }: DisputesFlags): Promise<Source> {
  showStatus(`asking ${apiUrl}`);
  const games = await gamesOfNode(apiUrl);
  return { games, account: typeof account === 'string' ? account : games.account ?? '' };
}
