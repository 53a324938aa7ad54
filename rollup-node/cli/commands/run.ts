import { Command, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { executorOption, inputOption, jsonOption, path, withExamples } from '../options.ts';

export interface RunFlags { readonly input: string; readonly executor: ExecutorName; readonly output?: string; readonly json?: boolean }

/** `assay run <bundle>`: one inference on this machine, without a chain. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run a model on one input, without a chain')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(inputOption())
    .addOption(executorOption())
    .addOption(new Option('--output <file>', 'write the output there as the original model gives it: float32 numbers, text, or an int32 class').argParser(path))
    .addOption(jsonOption())
    .action(async (directory: string, flags: RunFlags) => (await import('../actions/run.ts')).runModel(directory, flags));
  return withExamples(command, 'echo "Alle Menschen sind frei" | assay run lande --input -', 'assay run mnist --input digit.f32 --executor webgpu --output scores.f32 --json');
}
