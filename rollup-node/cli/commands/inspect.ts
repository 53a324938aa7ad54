import { Command } from 'commander';
import { bytesToHex } from 'viem';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { readBundleDirectory } from '../../bundle-files.ts';
import { jsonOption } from '../options.ts';
import { printAnswer } from '../output.ts';

/** `assay inspect <bundle>`: checks a bundle and says what it holds. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('check a bundle against its model id, and say what it holds')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(jsonOption())
    .action(async (directory: string, options: { json?: boolean }) => {
      const model = await readBundleDirectory(directory);
      const { program } = model;
      const encoded = admit(model);
      printAnswer(
        {
          modelId: bytesToHex(encoded.modelId),
          name: program.name,
          signature: program.signature,
          operators: program.prologue.length + program.body.length + program.epilogue.length,
          iterations: program.maxIterations,
          steps: Number(encoded.steps),
          parameters: program.constants.reduce((sum, { rows, columns }) => sum + rows * columns, 0),
          bytes: model.constants.reduce((sum, words) => sum + words.length, 0),
        },
        options.json === true,
      );
    });
}
