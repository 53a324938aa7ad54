import { byteLength } from '../../../deterministic-runtime/program/tensor.ts';
import { openBundle } from '../bundles.ts';
import type { InspectFlags } from '../commands/inspect.ts';
import { hex, printAnswer } from '../output.ts';

/** Checks a bundle, and prints what it holds. @throws UserError */
export async function inspectBundle(directory: string, { json }: InspectFlags): Promise<void> {
  const { modelId, operators, steps, model: { program } } = await openBundle(directory);
  await printAnswer(
    {
      modelId: hex(modelId),
      name: program.name,
      signature: program.signature,
      operators: operators.length,
      iterations: program.maxIterations,
      steps: Number(steps),
      parameters: program.constants.reduce((sum, { rows, columns }) => sum + rows * columns, 0),
      bytes: program.constants.reduce((sum, shape) => sum + byteLength(shape), 0),
    },
    json === true,
  );
}
