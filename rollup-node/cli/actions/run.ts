import { commitTensor } from '../../../deterministic-runtime/commitment/tree.ts';
import type { Executor } from '../../../deterministic-runtime/executors/executor.ts';
import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import { executorByName } from '../../executors.ts';
import { followAnswer } from '../../language-model.ts';
import { originalOutput, readableOutput, readModelInput } from '../../model-values.ts';
import { openBundle } from '../bundles.ts';
import type { RunFlags } from '../commands/run.ts';
import { checkWritable, inputOf, writeOutputFile } from '../files.ts';
import { settingsOf } from '../options.ts';
import { hex, printAnswer } from '../output.ts';
import { clearStatus, showStatus } from '../status.ts';

/** Runs one inference. Without `--json`, a language model's answer is printed as it is made. @throws UserError */
export async function runModel(directory: string, flags: RunFlags): Promise<void> {
  const readInput = inputOf(flags);
  const settings = settingsOf(flags);
  if (flags.output !== undefined) await checkWritable(flags.output);
  const encoded = await openBundle(directory);
  const input = readModelInput(encoded.model, await readInput(), settings);
  const executor = await executorByName(flags.executor);
  try {
    await runOn(executor, encoded, input, flags);
  } finally {
    await executor.dispose();
  }
}

async function runOn(executor: Executor, { modelId, model }: EncodedModel, input: Uint8Array, { seed, output: file, json }: RunFlags): Promise<void> {
  showStatus(`compiling ${model.program.name} for ${executor.name}`);
  const prepared = await executor.prepare(model);
  showStatus(`running ${model.program.name} on ${executor.name}`);
  let shown = '';
  const answer = followAnswer(model, input, (text) => {
    shown += text;
    if (json === true) return;
    clearStatus();
    process.stdout.write(text);
  });
  const started = performance.now();
  const { output, iterations } = await prepared.run(input, {
    ...(seed === undefined ? {} : { seed }),
    ...(answer === undefined ? {} : { observe: answer.observe, independentIterations: answer.promptTokens }),
  });
  const milliseconds = performance.now() - started;
  answer?.end();
  await prepared.dispose();
  if (file !== undefined) await writeOutputFile(file, originalOutput(model, output));
  if (shown !== '' && json !== true) process.stdout.write('\n\n');
  const generated = answer === undefined ? undefined : iterations - Math.max(1, answer.promptTokens) + 1;
  await printAnswer(
    {
      modelId: hex(modelId),
      outputRoot: hex(commitTensor(output)),
      ...(shown === '' || json === true ? { output: readableOutput(model, output) } : {}),
      executor: executor.name,
      adapter: executor.adapter,
      milliseconds: Math.round(milliseconds * 1_000) / 1_000,
      ...(answer === undefined ? {} : { promptTokens: answer.promptTokens, generatedTokens: generated, tokensPerSecond: Math.round((iterations / milliseconds) * 1_000) }),
    },
    json === true,
  );
}
