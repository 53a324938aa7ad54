import { decodeFunctionData, hexToBytes, isAddressEqual, size } from 'viem';
import type { Hex } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { segmentAt } from '../../fraud-proof/dispute/split.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { inputWords } from '../inference/models.ts';
import { explainStep } from '../match/explain.ts';
import type { AssayNode } from '../node.ts';
import type { Stage } from './stage.ts';

/**
 * Tells which step a dispute about a request came down to, and what it does: its number from the chain alone (the segments that the
 * moves and the proof name), its meaning from the model's files.
 */
export async function tellDisputedStep(stage: Stage, node: AssayNode, requestId: Hex, executor: Executor): Promise<void> {
  const { client, deployment } = stage.devnet;
  const dispute = (await node.context.store.list('disputes')).map(({ value }) => value).find((one) => one.requestId === requestId);
  const request = await node.context.store.get('requests', requestId);
  if (dispute === undefined || request === undefined) throw new Error(`there was no dispute about request ${requestId}`);
  const game = { address: deployment.dissectionGame, abi: dissectionGameAbi } as const;
  const moves = await client.getContractEvents({ ...game, eventName: 'Moved', args: { gameId: dispute.gameId }, fromBlock: deployment.block, strict: true });
  const [end] = await client.getContractEvents({ ...game, eventName: 'Settled', args: { gameId: dispute.gameId }, fromBlock: deployment.block, strict: true });
  if (end === undefined) throw new Error(`the game ${dispute.gameId} has not ended`);
  const { to, input } = await client.getTransaction({ hash: end.transactionHash });
  const call = to !== null && isAddressEqual(to, game.address) ? decodeFunctionData({ abi: game.abi, data: input }) : null;
  if (call?.functionName !== 'prove') throw new Error(`the game ${dispute.gameId} did not end with a proof`);
  const [, { segment }, proof] = call.args;
  const arity = node.context.contracts.arity;
  const split = moves.reduce((current, { args }) => segmentAt(current, Number(args.segment), arity), { start: 0n, length: dispute.steps });
  const step = segmentAt(split, Number(segment), arity).start;

  const { encoded } = stage.model;
  const prepared = await executor.prepare(encoded.model);
  const trace = await openTrace({ prepared, input: inputWords(encoded.model.program.input, hexToBytes(request.input)), seed: hexToBytes(request.seed) });
  await prepared.dispose();
  const { operator, row, column, pc, text } = explainStep(trace, step);
  stage.print(`  the disputed instruction: step ${step.toLocaleString('en')} of ${trace.steps.toLocaleString('en')}`);
  stage.print(`    operator "${operator}", row ${row}, elements from column ${column} on, instruction ${pc}:   ${text}`);
  stage.print(`    the chain computed it from the state before it: ${size(proof)} bytes of proof, everything else was agreed`);
}
