import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { bytesToHex } from 'viem';
import { commitTensor } from '../../../deterministic-runtime/commitment/tree.ts';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { placeOf, slotCount } from '../../../deterministic-runtime/program/program.ts';
import { unpackTensor } from '../../../deterministic-runtime/program/tensor.ts';
import { readBundleDirectory } from '../../bundle-files.ts';
import { UserError, reasonOf } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import type { ExecutorName } from '../../executors.ts';
import { readModelInput, readableOutput } from '../../model-values.ts';
import { readInputFile } from '../files.ts';
import { executorOption, jsonOption } from '../options.ts';
import { printAnswer } from '../output.ts';

interface RunFlags { readonly input: string; readonly executor: ExecutorName; readonly output?: string; readonly json?: boolean }

/** `assay run <bundle>`: one inference on this machine, without a chain. */
export function runCommand(): Command {
  return new Command('run')
    .description('run a model on one input, without a chain')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(new Option('--input <file>', 'the raw elements, row by row, as the original model has them; text for a text model; - for standard input').makeOptionMandatory())
    .addOption(executorOption())
    .addOption(new Option('--output <file>', 'write the output\'s raw elements there'))
    .addOption(jsonOption())
    .action(async (directory: string, flags: RunFlags) => {
      const model = await readBundleDirectory(directory);
      const encoded = admit(model);
      const input = readModelInput(model, await readInputFile(flags.input));
      const executor = await executorByName(flags.executor);
      try {
        const prepared = await executor.prepare(model);
        const started = performance.now();
        const { output } = await prepared.run(input);
        const milliseconds = performance.now() - started;
        await prepared.dispose();
        if (flags.output !== undefined) {
          const shape = placeOf(model.program, slotCount(model.program) - 1).operator.output;
          await writeFile(flags.output, unpackTensor(shape, output)).catch((error: unknown) => {
            throw new UserError(`cannot write ${String(flags.output)}: ${reasonOf(error)}`, { cause: error });
          });
        }
        printAnswer(
          {
            modelId: bytesToHex(encoded.modelId),
            outputRoot: bytesToHex(commitTensor(output)),
            output: readableOutput(model, output),
            executor: executor.name,
            adapter: executor.adapter,
            milliseconds: Math.round(milliseconds * 1000) / 1000,
          },
          flags.json === true,
        );
      } finally {
        await executor.dispose();
      }
    });
}
