import { Command, InvalidArgumentError, Option } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import { addOptions, generationOptions, jsonOption, seedOption, wholeNumber, withExamples } from '../options.ts';
import type { GenerationFlags } from '../options.ts';

export interface RequestFlags extends Record<string, unknown>, GenerationFlags {
  readonly seed?: Uint8Array;
  readonly finality: 'asserted' | 'final';
  readonly timeout: number;
  readonly wait: boolean;
  readonly contract?: `0x${string}`;
  readonly json?: boolean;
}

/** `assay request <model> <input>`: asks a model on a chain, and waits for the answer. */
export function requestCommand(): Command {
  const command = addConfigOptions(new Command('request'), ['rpcUrl', 'chainId', 'assertions', 'startBlock', 'keyFile', 'logRange'])
    .description('ask a model on a chain for an inference, pay its fee, and wait for the result')
    .argument('<model>', 'directory of the model\'s bundle')
    .argument('<input>', 'file with the input, as for assay run; - is standard input')
    .addOption(new Option('--finality <when>', 'deliver the result once it is asserted, or once it is final').choices(['asserted', 'final']).default('final'))
    .addOption(new Option('--contract <address>', 'which of the model\'s contracts to pay; the cheapest otherwise').argParser(parseAddress))
    .addOption(new Option('--timeout <seconds>', 'how long to wait for the result').argParser(wholeNumber(1, 10_000_000)).default(3_600))
    .addOption(new Option('--no-wait', 'print the request\'s id and end'))
    .addOption(jsonOption())
    .action(async (directory: string, inputFile: string, flags: RequestFlags) => (await import('../actions/request.ts')).sendRequest(directory, inputFile, flags));
  addOptions(command, [...generationOptions(), seedOption()]);
  return withExamples(command, 'assay request lande text.txt --rpc-url http://127.0.0.1:8545 --assertions 0x… --key-file key.hex', 'assay request lande text.txt --config rollup.json --no-wait --json');
}

function parseAddress(text: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('Expected 0x and 40 hex digits.');
  return text as `0x${string}`;
}
