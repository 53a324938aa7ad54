import { Command, InvalidArgumentError, Option } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import { jsonOption, withExamples } from '../options.ts';

export interface DisputesFlags extends Record<string, unknown> {
  readonly open?: boolean;
  readonly mine?: boolean;
  readonly assertion?: string;
  readonly apiUrl?: string;
  readonly json?: boolean;
}

/** `assay disputes`: the games of a rollup, and what each waits for. */
export function disputesCommand(): Command {
  const command = addConfigOptions(new Command('disputes'), ['rpcUrl', 'chainId', 'assertions', 'startBlock', 'logRange', 'account', 'keyFile'])
    .description('list a rollup\'s disputes: who, about what, how far, whose turn, and what would happen next; from L1 alone, or from a running node')
    .addOption(new Option('--open', 'only those in which somebody still has to send a transaction'))
    .addOption(new Option('--mine', 'only those of --account or of the key\'s account; with --api-url, of the node\'s'))
    .addOption(new Option('--assertion <id>', 'only those about this assertion: its id, or how it starts').argParser(idPrefix))
    .addOption(new Option('--api-url <url>', 'ask the HTTP API of a running node instead of reading L1'))
    .addOption(jsonOption())
    .action(async (flags: DisputesFlags) => (await import('../actions/disputes.ts')).showDisputes(flags));
  return withExamples(command, 'assay disputes --rpc-url http://127.0.0.1:8545 --assertions 0x… --open', 'assay disputes --api-url http://127.0.0.1:8646 --mine', 'assay disputes --config assay.json --json');
}

/** An id of 32 bytes or how it starts, in lower case, for commander. */
export function idPrefix(text: string): string {
  if (!/^0x[0-9a-fA-F]{1,64}…?$/.test(text)) throw new InvalidArgumentError('Expected 0x and up to 64 hex digits.');
  return text.replace('…', '').toLowerCase();
}
