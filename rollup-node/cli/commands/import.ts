import { Command, InvalidArgumentError, Option } from 'commander';
import { jsonOption, path, withExamples } from '../options.ts';

export interface ImportFlags { readonly out: string; readonly calibration?: string; readonly name?: string; readonly classify?: boolean; readonly json?: boolean }

/** `assay import <model file>`: makes an integer program of a model file. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('make an integer program of a model file, as a bundle that anyone can check')
    .argument('<model>', 'an ONNX file, or npm:lande for the language detector that comes with Assay')
    .addOption(new Option('--out <bundle>', 'directory to write; a bundle that is there is replaced').argParser(path).makeOptionMandatory())
    .addOption(new Option('--calibration <file>', 'some hundred typical inputs, little-endian float32, one after another; models with float weights need them').argParser(path))
    .addOption(new Option('--classify', 'end with the index of the greatest output'))
    .addOption(new Option('--name <name>', 'name of the model; the file\'s own otherwise').argParser(modelName))
    .addOption(jsonOption())
    .action(async (source: string, flags: ImportFlags) => (await import('../actions/import.ts')).importModel(source, flags));
  return withExamples(command, 'assay import npm:lande --out lande', 'assay import mnist.onnx --calibration digits.f32 --classify --out mnist');
}

/** Longest name that a bundle's manifest may have. */
const MAXIMUM_NAME = 256;

function modelName(text: string): string {
  if (text.trim() === '' || text.length > MAXIMUM_NAME) throw new InvalidArgumentError(`Expected 1 to ${MAXIMUM_NAME} characters.`);
  return text;
}
