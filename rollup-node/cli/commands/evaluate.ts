import { Command, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { executorOption, jsonOption, path, wholeNumber, withExamples } from '../options.ts';

export interface EvaluateFlags {
  readonly against: string;
  readonly dataset: string;
  readonly labels?: string;
  readonly limit?: number;
  readonly executor: ExecutorName;
  readonly json?: boolean;
}

/** `assay evaluate <bundle>`: how near an integer program is to the float model that it was made of. */
export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('compare an integer program with its float model on a dataset')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(new Option('--against <model>', 'the float model, as import takes it: a network\'s ONNX or TensorFlow Lite file, model.json or npm package; a language model\'s file or folder, or storyteller').argParser(path).makeOptionMandatory())
    .addOption(new Option('--dataset <file>', 'networks: inputs as the model takes them, little-endian float32, one after another; language models: texts, parted by blank lines, or .jsonl with {"text": …} a line').argParser(path).makeOptionMandatory())
    .addOption(new Option('--labels <file>', 'networks: the inputs\' classes, one byte each; then accuracies are told').argParser(path))
    .addOption(new Option('--limit <samples>', 'use the first samples only').argParser(wholeNumber(1, 2 ** 31)))
    .addOption(executorOption())
    .addOption(jsonOption())
    .action(async (directory: string, flags: EvaluateFlags) => (await import('../actions/evaluate.ts')).evaluateBundle(directory, flags));
  return withExamples(command, 'assay evaluate mnist --against mnist.onnx --dataset digits.f32 --labels digits.labels --json', 'assay evaluate stories --against stories260K.gguf --dataset stories.txt --limit 10');
}
