import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { instructionOf } from '../explain/instruction.ts';
import { readTranscript } from '../explain/transcript.ts';
import { inputWords } from '../inference/models.ts';
import type { AssayNode } from '../node.ts';
import type { Stage } from './stage.ts';

/**
 * Tells which step a dispute about a request came down to, and what it does: its number from the chain alone (the segments that the
 * moves and the proof name), its meaning from the model's files.
 */
export async function tellDisputedStep(stage: Stage, node: AssayNode, requestId: Hex, executor: Executor): Promise<void> {
  const { client, contracts, store } = node.context;
  const dispute = (await store.list('disputes')).map(({ value }) => value).find((one) => one.requestId === requestId);
  if (dispute === undefined) throw new Error(`there was no dispute about request ${requestId}`);
  const { request, proven } = await readTranscript({ client, contracts, store }, dispute);
  if (proven === null) throw new Error(`the game ${dispute.gameId} did not end with a proof`);

  const { encoded } = stage.model;
  const prepared = await executor.prepare(encoded.model);
  const trace = await openTrace({ prepared, input: inputWords(encoded.model.program.input, hexToBytes(request.input)), seed: hexToBytes(request.seed) });
  const { operator, row, column, pc, text, reads, result } = await instructionOf(trace, proven.step);
  await prepared.dispose();
  stage.print(`  the disputed instruction: step ${proven.step.toLocaleString('en')} of ${trace.steps.toLocaleString('en')}`);
  stage.print(`    operator "${operator}", row ${row}, elements from column ${column} on, instruction ${pc}:   ${text}`);
  for (const { name, value } of reads) stage.print(`      reads ${name} = ${value}`);
  if (result !== null) stage.print(`      right is ${result.name} = ${result.value}`);
  stage.print(`    the chain computed it from the state before it: ${proven.proof.length / 2 - 1} bytes of proof, everything else was agreed`);
}
