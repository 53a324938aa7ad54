import { Command, Option } from 'commander';
import type { ExecutorName } from '../../executors.ts';
import { addOptions, executorOption, generationOptions, inputOption, jsonOption, path, promptOption, seedOption, withExamples } from '../options.ts';
import type { GenerationFlags } from '../options.ts';

export interface RunFlags extends GenerationFlags {
  readonly input?: string;
  readonly prompt?: string;
  readonly seed?: Uint8Array;
  readonly executor: ExecutorName;
  readonly output?: string;
  readonly json?: boolean;
}

/** `assay run <bundle>`: one inference on this machine, without a chain. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('run a model on one input, without a chain')
    .argument('<bundle>', 'directory of the bundle')
    .addOption(inputOption())
    .addOption(promptOption())
    .addOption(executorOption())
    .addOption(new Option('--output <file>', 'write the output there as the original model gives it: float32 numbers, text, token ids in JSON, or an int32 class').argParser(path))
    .addOption(jsonOption())
    .action(async (directory: string, flags: RunFlags) => (await import('../actions/run.ts')).runModel(directory, flags));
  addOptions(command, [...generationOptions(), seedOption()]);
  return withExamples(command, 'assay run stories --prompt "Once upon a time" --temperature 0.8 --top-p 0.9 --seed 7', 'echo "Alle Menschen sind frei" | assay run lande --input -', 'assay run mnist --input digit.f32 --executor webgpu --output scores.f32 --json');
}
