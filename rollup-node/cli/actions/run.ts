import { commitTensor } from '../../../deterministic-runtime/commitment/tree.ts';
import { executorByName } from '../../executors.ts';
import { originalOutput, readableOutput, readModelInput } from '../../model-values.ts';
import { openBundle } from '../bundles.ts';
import type { RunFlags } from '../commands/run.ts';
import { checkWritable, readInputFile, writeOutputFile } from '../files.ts';
import { hex, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';

/** Runs one inference. @throws UserError */
export async function runModel(directory: string, flags: RunFlags): Promise<void> {
  if (flags.output !== undefined) await checkWritable(flags.output);
  const { modelId, model } = await openBundle(directory);
  const input = readModelInput(model, await readInputFile(flags.input));
  const executor = await executorByName(flags.executor);
  try {
    showStatus(`compiling ${model.program.name} for ${executor.name}`);
    const prepared = await executor.prepare(model);
    showStatus(`running ${model.program.name} on ${executor.name}`);
    const started = performance.now();
    const { output } = await prepared.run(input);
    const milliseconds = performance.now() - started;
    await prepared.dispose();
    if (flags.output !== undefined) await writeOutputFile(flags.output, originalOutput(model, output));
    await printAnswer(
      {
        modelId: hex(modelId),
        outputRoot: hex(commitTensor(output)),
        output: readableOutput(model, output),
        executor: executor.name,
        adapter: executor.adapter,
        milliseconds: Math.round(milliseconds * 1_000) / 1_000,
      },
      flags.json === true,
    );
  } finally {
    await executor.dispose();
  }
}
