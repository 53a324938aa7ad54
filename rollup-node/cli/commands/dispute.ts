import { Command, InvalidArgumentError, Option } from 'commander';
import { bytesToHex } from 'viem';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import { slotOf } from '../../../deterministic-runtime/program/program.ts';
import { wordCount } from '../../../deterministic-runtime/program/tensor.ts';
import { maskedWord, randomWords } from '../../../fraud-proof/dispute/random-fault.ts';
import type { Role } from '../../../fraud-proof/dispute/player.ts';
import type { Fault } from '../../../fraud-proof/trace/fault.ts';
import { readBundleDirectory } from '../../bundle-files.ts';
import { UserError } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import type { ExecutorName } from '../../executors.ts';
import { openArena } from '../../match/arena.ts';
import { explainStep } from '../../match/explain.ts';
import { playMatch } from '../../match/match.ts';
import type { PlayedMove } from '../../match/match.ts';
import { readModelInput } from '../../model-values.ts';
import { readInputFile } from '../files.ts';
import { executorOption, jsonOption, wholeNumber } from '../options.ts';
import { printAnswer } from '../output.ts';

interface FaultPlace { readonly operator: string; readonly word: number }
interface DisputeFlags {
  readonly input: string;
  readonly executor: ExecutorName;
  readonly fault: 'random' | FaultPlace;
  readonly seed: number;
  readonly liar: Role;
  readonly json?: boolean;
}

/** `assay dispute <bundle>`: one side lies, and the dispute is played to its end on a chain of its own. */
export function disputeCommand(): Command {
  return new Command('dispute')
    .description('play a whole dispute about one inference on a fresh development chain')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(new Option('--input <file>', 'the raw elements, as for `assay run`; - for standard input').makeOptionMandatory())
    .addOption(new Option('--fault <place>', 'where the liar lies: random, or <operator>:<word> with the operator\'s name or number').argParser(parseFault).default('random'))
    .addOption(new Option('--seed <n>', 'chooses the random fault').argParser(wholeNumber(0, 2 ** 32)).default(1))
    .addOption(new Option('--liar <side>', 'who lies').choices(['asserter', 'challenger']).default('asserter'))
    .addOption(executorOption())
    .addOption(jsonOption())
    .action(async (directory: string, flags: DisputeFlags) => {
      const model = await readBundleDirectory(directory);
      const encoded = admit(model);
      const input = readModelInput(model, await readInputFile(flags.input));
      const fault = flags.fault === 'random' ? undefined : faultAt(encoded, flags.fault, flags.seed);
      const executor = await executorByName(flags.executor);
      try {
        const prepared = await executor.prepare(model);
        const arena = await openArena();
        try {
          const contract = await arena.register(encoded);
          const result = await playMatch(arena, {
            prepared, contract, input, liar: flags.liar, seed: BigInt(flags.seed),
            ...(fault === undefined ? {} : { fault }),
            ...(flags.json === true ? {} : { onMove: printMove }),
          });
          const { moves } = result;
          const played = moves.filter(({ kind }) => kind !== 'assert');
          printAnswer(
            {
              winner: result.winner,
              honest: result.honest,
              modelId: bytesToHex(encoded.modelId),
              steps: Number(result.steps),
              levels: result.levels,
              transactions: played.length,
              gas: {
                total: Number(played.reduce((sum, { gas }) => sum + gas, 0n)),
                perMove: played.filter(({ kind }) => kind !== 'prove').map(({ gas }) => Number(gas)),
                step: Number(played.find(({ kind }) => kind === 'prove')?.gas ?? 0n),
              },
              seconds: Math.round(result.seconds * 1_000) / 1_000,
              instruction: explainStep(result.trace, result.step),
            },
            flags.json === true,
          );
        } finally {
          await arena.close();
        }
      } finally {
        await executor.dispose();
      }
    });
}

const printMove = ({ kind, by, gas, bytes }: PlayedMove): void => console.error(`  ${by.padEnd(10)}  ${kind.padEnd(9)}  ${gas.toLocaleString('en').padStart(9)} gas  ${bytes} bytes`);

function parseFault(text: string): 'random' | FaultPlace {
  if (text === 'random') return text;
  const match = /^(.+):(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected random, or <operator>:<word>');
  return { operator: match[1] as string, word: Number(match[2]) };
}

/** Another word than the honest one, at the STORE of a place; in the first iteration for an operator of the body. */
function faultAt({ operators, model }: EncodedModel, place: FaultPlace, seed: number): Fault {
  const found = operators.find(({ operator }) => operator.name === place.operator) ?? operators[/^\d+$/.test(place.operator) ? Number(place.operator) : -1];
  if (found === undefined) throw new UserError(`the model has no operator ${place.operator}`, { hint: `it has ${operators.map(({ operator }) => operator.name).join(', ')}` });
  const { output, name } = found.operator;
  if (place.word >= wordCount(output)) throw new UserError(`operator ${name} has ${wordCount(output)} words, so there is no word ${place.word}`);
  return { kind: 'word', slot: slotOf(model.program, found.section, found.index), word: place.word, value: maskedWord(output, place.word, randomWords(BigInt(seed))()) };
}
