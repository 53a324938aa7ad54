import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { parseFaultPlace } from '../../match/fault-place.ts';
import type { FaultPlace } from '../../match/fault-place.ts';
import { addOptions, executorOption, generationOptions, inputOption, jsonOption, promptOption, wholeNumber, withExamples } from '../options.ts';
import type { GenerationFlags } from '../options.ts';

export interface DisputeFlags extends GenerationFlags {
  readonly input?: string;
  readonly prompt?: string;
  readonly executor: ExecutorName;
  readonly fault: 'random' | FaultPlace;
  readonly seed: number;
  readonly liar: 'asserter' | 'challenger';
  readonly json?: boolean;
}

/** `assay dispute <bundle>`: one side lies, and the dispute is played to its end on a chain of its own. */
export function disputeCommand(): Command {
  const command = new Command('dispute')
    .description('play a whole dispute about one inference on a fresh development chain')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(inputOption())
    .addOption(promptOption())
    .addOption(new Option('--fault <place>', 'where the liar lies: random, or <operator>:<word> with the operator\'s name or number').argParser(parseFault).default('random'))
    .addOption(new Option('--seed <n>', 'chooses the random fault, or the wrong word at a named place').argParser(wholeNumber(0, 2 ** 32)).default(1))
    .addOption(new Option('--liar <side>', 'who lies').choices(['asserter', 'challenger']).default('asserter'))
    .addOption(executorOption())
    .addOption(jsonOption())
    .action(async (directory: string, flags: DisputeFlags) => (await import('../actions/dispute.ts')).playDispute(directory, flags));
  addOptions(command, generationOptions());
  return withExamples(command, 'assay dispute mnist --input digit.f32', 'assay dispute mnist --input digit.f32 --fault Convolution28:5 --liar challenger --json', 'assay dispute stories --prompt "Once upon a time" --max-tokens 20');
}

function parseFault(text: string): 'random' | FaultPlace {
  const place = text === 'random' ? text : parseFaultPlace(text);
  if (place === null) throw new InvalidArgumentError('Expected random, or <operator>:<word>.');
  return place;
}
