import { Command, Option } from 'commander';
import { jsonOption, withExamples } from '../options.ts';

export interface ImportFlags { readonly out: string; readonly calibration?: string; readonly name?: string; readonly classify?: boolean; readonly json?: boolean }

/** `assay import <model file>`: makes an integer program of a model file. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('make an integer program of a model file, as a bundle that anyone can check')
    .argument('<model>', 'an ONNX file, or npm:lande for the language detector that comes with Assay')
    .addOption(new Option('--out <bundle>', 'directory to write; a bundle that is there is replaced').makeOptionMandatory())
    .addOption(new Option('--calibration <file>', 'some hundred typical inputs, little-endian float32, one after another; models with float weights need them'))
    .addOption(new Option('--classify', 'end with the index of the greatest output'))
    .addOption(new Option('--name <name>', 'name of the model; the file\'s own otherwise'))
    .addOption(jsonOption())
    .action(async (source: string, flags: ImportFlags) => (await import('../actions/import.ts')).importModel(source, flags));
  return withExamples(command, 'assay import npm:lande --out lande', 'assay import mnist.onnx --calibration digits.f32 --classify --out mnist');
}
