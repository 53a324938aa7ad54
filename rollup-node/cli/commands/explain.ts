import { Command, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { addConfigOptions } from '../config-options.ts';
import { executorOption, jsonOption, path, withExamples } from '../options.ts';
import { idPrefix } from './disputes.ts';

export interface ExplainFlags extends Record<string, unknown> {
  readonly model?: string;
  readonly executor: ExecutorName;
  readonly json?: boolean;
}

/** `assay explain <dispute>`: the story of a game, down to the instruction. */
export function explainCommand(): Command {
  const command = addConfigOptions(new Command('explain'), ['rpcUrl', 'chainId', 'assertions', 'startBlock', 'logRange', 'models', 'beacon'])
    .description('tell a dispute in words: who claimed what, each move, and the one instruction that it comes down to, with the right value where the model\'s files are given')
    .argument('<dispute>', 'its game id, or how that starts', idPrefix)
    .addOption(new Option('--model <bundle>', 'the model\'s bundle: the inference is run again, and every claim compared; --models names several to choose from').argParser(path))
    .addOption(executorOption('what runs it again'))
    .addOption(jsonOption())
    .action(async (prefix: string, flags: ExplainFlags) => (await import('../actions/explain.ts')).explainDispute(prefix, flags));
  return withExamples(command, 'assay explain 0x3f09c1 --rpc-url http://127.0.0.1:8545 --assertions 0x…', 'assay explain 0x3f09c1 --config assay.json --model lande', 'assay explain 0x3f09c1 --config assay.json --models lande,mnist --json');
}
