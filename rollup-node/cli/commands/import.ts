import { Command, Option } from 'commander';
import { bytesToHex } from 'viem';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { importOnnx } from '../../../kernels/import/onnx/import.ts';
import { buildLande } from '../../../kernels/models/lande/program.ts';
import { writeBundleDirectory } from '../../bundle-files.ts';
import { UserError } from '../../errors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { readInputFile } from '../files.ts';
import { jsonOption } from '../options.ts';
import { printAnswer } from '../output.ts';

interface ImportFlags { readonly out: string; readonly calibration?: string; readonly name?: string; readonly classify?: boolean; readonly json?: boolean }

/** `assay import <model file>`: makes an integer program of a model file. */
export function importCommand(): Command {
  return new Command('import')
    .description('make an integer program of a model file, as a bundle that anyone can check')
    .argument('<model>', 'an ONNX file, or npm:lande for the language detector that comes with Assay')
    .addOption(new Option('--out <bundle>', 'directory to write').makeOptionMandatory())
    .addOption(new Option('--calibration <file>', 'typical inputs, raw elements one after another; models with float weights need them'))
    .addOption(new Option('--classify', 'end with the index of the greatest output'))
    .addOption(new Option('--name <name>', 'name of the model; the file\'s own otherwise'))
    .addOption(jsonOption())
    .action(async (source: string, flags: ImportFlags) => {
      const model = source === 'npm:lande' ? buildLande(await loadLandePackage()) : await importFile(source, flags);
      const encoded = admit(model);
      await writeBundleDirectory(flags.out, model);
      const { program } = model;
      printAnswer(
        {
          modelId: bytesToHex(encoded.modelId),
          name: program.name,
          signature: program.signature,
          operators: encoded.operators.length,
          steps: Number(encoded.steps),
          bytes: model.constants.reduce((sum, words) => sum + words.length, 0),
          bundle: flags.out,
          input: program.metadata.input,
          output: program.metadata.output,
        },
        flags.json === true,
      );
    });
}

async function importFile(source: string, { calibration, name, classify }: ImportFlags): Promise<Model> {
  const bytes = await readInputFile(source);
  const samples = calibration === undefined ? undefined : floats(await readInputFile(calibration), calibration);
  return importOnnx(bytes, {
    ...(samples === undefined ? {} : { calibration: samples }),
    ...(name === undefined ? {} : { name }),
    classify: classify === true,
  }).model;
}

function floats(bytes: Uint8Array, file: string): Float32Array {
  if (bytes.length % 4 !== 0) throw new UserError(`${file} has ${bytes.length} bytes, which is no whole number of float32 values`);
  return new Float32Array(bytes.slice().buffer);
}
