import { Command, InvalidArgumentError, Option } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import { jsonOption, withExamples } from '../options.ts';

export interface RegisterFlags extends Record<string, unknown> {
  /** Wei. */
  readonly fee: bigint;
  readonly uri?: string;
  readonly json?: boolean;
}

/** `assay register <bundle>`: publishes a model on a chain. */
export function registerCommand(): Command {
  const command = addConfigOptions(new Command('register'), ['rpcUrl', 'chainId', 'assertions', 'startBlock', 'logRange', 'keyFile', 'signerUrl', 'account'])
    .description('publish a model on a chain: it gets a contract of yours that anybody can call')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(new Option('--fee <wei>', 'what an inference costs, without the callback; another fee is another contract').argParser(parseWei).makeOptionMandatory())
    .addOption(new Option('--uri <uri>', 'where the bundle\'s files are served; given again, it publishes another place').argParser(parseUri))
    .addOption(new Option('--dry-run', 'send nothing: print what would be registered, and the gas'))
    .addOption(jsonOption())
    .action(async (directory: string, flags: RegisterFlags) => (await import('../actions/register.ts')).registerBundle(directory, flags));
  return withExamples(
    command, 'assay register lande --fee 1000000000000000 --uri https://example.org/lande --rpc-url http://127.0.0.1:8545 --assertions 0x… --key-file key.hex',
    'assay register lande --fee 0 --config rollup.json --account 0x… --dry-run --json',
  );
}

/** Digits of the greatest number of 256 bits. */
const MOST_DIGITS = 78;

function parseWei(text: string): bigint {
  if (!/^\d+$/.test(text) || text.length > MOST_DIGITS || BigInt(text) >= 2n ** 256n) throw new InvalidArgumentError('Expected a whole number of wei.');
  return BigInt(text);
}

function parseUri(text: string): string {
  if (!URL.canParse(text)) throw new InvalidArgumentError('Expected a URI, such as https://… or ipfs://….');
  return text;
}
